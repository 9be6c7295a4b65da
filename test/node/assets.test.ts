import { expect, test } from "bun:test";
import { firstViews } from "../../src/cli/asset-weights.ts";

const to = (path: string, kind = "import-statement") => ({ path, kind });
const METAFILE = {
  outputs: {
    "main.js": {
      entryPoint: "src/console/index.html",
      imports: [to("shared.js"), to("overview.js", "dynamic-import"), to("devices.js", "dynamic-import")],
    },
    "shared.js": { imports: [] },
    "chart.js": { imports: [to("shared.js")] },
    "overview.js": { entryPoint: "src/console/pages/overview/index.tsx", imports: [to("main.js"), to("chart.js")] },
    "devices.js": { entryPoint: "src/console/pages/devices/index.tsx", imports: [to("main.js"), to("tab.js", "dynamic-import")] },
    "tab.js": { entryPoint: "src/console/pages/devices/tab.tsx", imports: [to("chart.js")] },
    "index.html": { entryPoint: "src/console/index.html", imports: [] },
    "main.css": { entryPoint: "src/console/index.html", imports: [] },
  },
};

test("a first view is the page's own scripts and those of the part that is shown, not what comes by a click", () => {
  const views = firstViews(METAFILE, "src/console/index.html", (source) => /pages\/[^/]+\/index/.test(source));
  expect(Object.fromEntries([...views].map(([view, paths]) => [view, [...paths].sort()]))).toEqual({
    "src/console/pages/overview/index.tsx": ["chart.js", "main.js", "overview.js", "shared.js"],
    "src/console/pages/devices/index.tsx": ["devices.js", "main.js", "shared.js"],
  });
});

test("a page without parts is one view", () => {
  const views = firstViews(METAFILE, "src/console/index.html", () => false);
  expect([...views].map(([view, paths]) => [view, [...paths].sort()])).toEqual([["", ["main.js", "shared.js"]]]);
});
