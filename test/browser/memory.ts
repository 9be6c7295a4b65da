import type { BrowserContext, CDPSession, Page } from "playwright-core";
import type { Plan } from "../../src/plans/plan.ts";

/** What a page takes up, after everything that nothing refers to any more was collected. */
export interface Footprint {
  heapBytes: number;
  nodes: number;
  documents: number;
  listeners: number;
  /** Object URLs that were made and not revoked. */
  objectUrls: number;
}

/** Begins to measure a page: to be called before it loads. */
export async function measure(page: Page): Promise<() => Promise<Footprint>> {
  await page.addInitScript(() => {
    const live = new Set<string>();
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (object: Blob | MediaSource) => {
      const url = createObjectURL(object);
      live.add(url);
      return url;
    };
    URL.revokeObjectURL = (url: string) => {
      live.delete(url);
      revokeObjectURL(url);
    };
    Object.defineProperty(window, "liveObjectUrls", { get: () => live.size });
  });
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  return () => footprint(page, session);
}

async function footprint(page: Page, session: CDPSession): Promise<Footprint> {
  // Twice: what is finalised by the first is free after the second.
  for (let times = 0; times < 2; times++) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  return {
    heapBytes: value("JSHeapUsedSize"),
    nodes: value("Nodes"),
    documents: value("Documents"),
    listeners: value("JSEventListeners"),
    objectUrls: await page.evaluate(() => (window as unknown as { liveObjectUrls: number }).liveObjectUrls),
  };
}

/** Makes the server's plan a quick one: every item is shown for `itemMs`, which is less than the server lets anybody plan. */
export async function hurryPlan(context: BrowserContext, itemMs: number): Promise<void> {
  await context.route("**/v1/device/plan", async (route) => {
    const answer = await route.fetch();
    if (answer.status() !== 200) return await route.fulfill({ response: answer });
    const plan = (await answer.json()) as Plan;
    for (const item of Object.values(plan.items)) item.duration_ms = itemMs;
    for (const segment of plan.segments) for (const slot of segment.loop) if (slot.duration_ms !== undefined) slot.duration_ms = itemMs;
    await route.fulfill({ response: answer, json: plan });
  });
}
