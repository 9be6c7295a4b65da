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

/** Of those, what another theme may break: it changes colours, and nothing else. */
const COLOURS = ["color-contrast", "link-in-text-block"];
const SCHEME = "data-mantine-color-scheme";

/**
 * Expects no violation of WCAG 2.2 AA, as far as axe finds them, in the page as it is now; and none by its colours in the console's other
 * theme, where it has one.
 */
export async function expectAccessible(page: Page): Promise<void> {
  // The policy forbids scripts by address and text; a function that the debugger calls is neither.
  await page.evaluate(axe.source);
  const look = async (values: string[], type: "tag" | "rule") =>
    await page.evaluate(
      async (runOnly) => {
        const { axe: runner } = globalThis as unknown as {
          axe: { run(where: Document, options: object): Promise<{ violations: Violation[] }> };
        };
        const found = await runner.run(document, { runOnly });
        return found.violations.map(({ id, help, nodes }) => ({
          id,
          help,
          nodes: nodes.map(({ html, failureSummary }) => `${html} — ${failureSummary}`),
        }));
      },
      { type, values },
    );
  expect(await look(RULES, "tag")).toEqual([]);
  const scheme = await page.evaluate((name) => document.documentElement.getAttribute(name), SCHEME);
  if (scheme === null) return;
  const use = (value: string) =>
    page.evaluate(
      async ([name, to]) => {
        document.documentElement.setAttribute(name ?? "", to ?? "");
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      },
      [SCHEME, value],
    );
  // Colours that are on their way to the other theme's would be looked at half-way.
  await page.emulateMedia({ reducedMotion: "reduce" });
  await use(scheme === "dark" ? "light" : "dark");
  try {
    expect(await look(COLOURS, "rule")).toEqual([]);
  } finally {
    await use(scheme);
    await page.emulateMedia({ reducedMotion: null });
  }
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
