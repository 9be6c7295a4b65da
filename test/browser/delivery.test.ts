import { describe, expect, test } from "bun:test";
import { deliveryRange, firstDayOfAll } from "../../src/console/pages/campaigns/delivery-range.ts";

const LATEST = "2026-11-22";

describe("the days of a campaign's delivery", () => {
  test("are its own, up to the latest that there is, and 400 at most", () => {
    expect(deliveryRange({ start_date: "2026-11-01", end_date: "2026-11-10" }, LATEST)).toEqual({ from: "2026-11-01", to: "2026-11-10" });
    expect(deliveryRange({ start_date: "2026-11-01", end_date: "2026-12-24" }, LATEST)).toEqual({ from: "2026-11-01", to: LATEST });
    expect(deliveryRange({ start_date: "2020-01-01", end_date: null }, LATEST)).toEqual({ from: "2025-10-19", to: LATEST });
  });

  test("of all campaigns together begin with the first, and no further back than a report reaches", () => {
    expect(firstDayOfAll([], LATEST)).toBe("2026-10-24");
    expect(firstDayOfAll([{ start_date: "2026-03-01", end_date: "2026-03-31" }], LATEST)).toBe("2026-03-01");
    // It ended long ago, and by itself would reach back further.
    expect(firstDayOfAll([{ start_date: "2024-12-01", end_date: "2025-12-31" }], LATEST)).toBe("2025-10-19");
  });
});
