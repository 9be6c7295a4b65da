import { expect } from "bun:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { ADMIN_TOKEN } from "../stack/stack.ts";
import type { Visit } from "./site.ts";

/** Lets a visit be signed in by an API token from its first page on, as one who pasted it before in that tab. */
export async function signInByToken({ page }: Visit, token = ADMIN_TOKEN): Promise<void> {
  await page.addInitScript((value) => sessionStorage.setItem("alive.token", value), token);
}

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/**
 * Expects no violation of WCAG 2.2 AA, as far as axe finds them, in the page as it is now; and none in its other theme, which differs in
 * nothing but colours.
 */
export async function expectAccessible(page: Page): Promise<void> {
  // The policy forbids scripts by address and text; a function that the debugger calls is neither.
  await page.evaluate(axe.source);
  const own = await violationsOf(page, { type: "tag", values: RULES });
  await turnTheme(page);
  const other = await violationsOf(page, { type: "rule", values: ["color-contrast"] });
  await turnTheme(page);
  expect({ own, other }).toEqual({ own: [], other: [] });
}

async function violationsOf(page: Page, runOnly: { type: "tag" | "rule"; values: string[] }): Promise<unknown[]> {
  return await page.evaluate(async (only) => {
    const { axe: runner } = globalThis as unknown as {
      axe: { run(where: Document, options: object): Promise<{ violations: Violation[] }> };
    };
    const found = await runner.run(document, { runOnly: only });
    return found.violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.map(({ html, failureSummary }) => `${html} — ${failureSummary}`),
    }));
  }, runOnly);
}

/** Shows the page in its other theme, and waits until no colour is on its way. */
async function turnTheme(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const root = document.documentElement;
    const name = "data-mantine-color-scheme";
    root.setAttribute(name, root.getAttribute(name) === "dark" ? "light" : "dark");
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const changes = document.getAnimations().filter((one) => one instanceof CSSTransition);
    await Promise.all(changes.map((one) => one.finished.catch(() => undefined)));
  });
}

/** Waits until a look at the page finds what is wanted; fails with what was found last. */
export async function soon<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  const end = Date.now() + 60_000;
  let found = await look();
  while (!Bun.deepEquals(found, wanted) && Date.now() < end) {
    await Bun.sleep(50);
    found = await look();
  }
  expect<unknown>(found).toEqual(wanted);
}

/** Goes back by the browser's own button, which a page may hold. */
export async function goBack({ context, page }: Pick<Visit, "context" | "page">): Promise<void> {
  const session = await context.newCDPSession(page);
  const { currentIndex, entries } = await session.send("Page.getNavigationHistory");
  const before = entries[currentIndex - 1];
  if (!before) throw new Error("there is nothing to go back to");
  await session.send("Page.navigateToHistoryEntry", { entryId: before.id });
  await session.detach();
}

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}
