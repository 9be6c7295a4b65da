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

/** Expects no violation of WCAG 2.2 AA, as far as axe finds them, in the page as it is now. */
export async function expectAccessible(page: Page): Promise<void> {
  // The policy forbids scripts by address and text; a function that the debugger calls is neither.
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async (rules) => {
    const { axe: runner } = globalThis as unknown as {
      axe: { run(where: Document, options: object): Promise<{ violations: Violation[] }> };
    };
    const found = await runner.run(document, { runOnly: { type: "tag", values: rules } });
    return found.violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.map(({ html, failureSummary }) => `${html} — ${failureSummary}`),
    }));
  }, RULES);
  expect(violations).toEqual([]);
}

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}
