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

const isPage = (source: string) => /pages\/[^/]+\/index/.test(source);

test("a first view is the page's own scripts and those of the part that is shown; what is fetched later is a view of its own", () => {
  const views = firstViews(METAFILE, "src/console/index.html", isPage);
  expect(Object.fromEntries([...views].map(([view, paths]) => [view, [...paths].sort()]))).toEqual({
    "src/console/pages/overview/index.tsx": ["chart.js", "main.js", "overview.js", "shared.js"],
    "src/console/pages/devices/index.tsx": ["devices.js", "main.js", "shared.js"],
    "src/console/pages/devices/index.tsx > src/console/pages/devices/tab.tsx": ["chart.js", "devices.js", "main.js", "shared.js", "tab.js"],
  });
});

test("what is drawn into a view that is there already is none", () => {
  const views = firstViews(METAFILE, "src/console/index.html", isPage, (source) => source.endsWith("devices/tab.tsx"));
  expect([...views.keys()].sort()).toEqual(["src/console/pages/devices/index.tsx", "src/console/pages/overview/index.tsx"]);
});

test("a page without parts is one view", () => {
  const views = firstViews(METAFILE, "src/console/index.html", () => false);
  expect([...views].map(([view, paths]) => [view, [...paths].sort()])).toEqual([["", ["main.js", "shared.js"]]]);
});
