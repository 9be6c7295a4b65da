import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { firstViews, type Metafile } from "./asset-weights.ts";
import { ROOT, Stop } from "./tools.ts";

/** A page that the Worker serves: all of its scripts and styles are built from its HTML. */
interface App {
  /** The folder in `src/`, and the path under which the page is served. */
  name: string;
  /** What a first view may weigh: all scripts that the page loads before anybody clicks, gzipped. */
  firstViewMaxBytes: number;
  /** Parts that come by a click or a long list, or are drawn into a view that is there and used already: they are no view of their own. */
  extras?: RegExp;
  /** Scripts that are fetched by a name which never changes, such as a service worker: built whole, served by the Worker as `/<name>/<file>`. */
  workers?: string[];
}

const APPS: App[] = [
  { name: "console", firstViewMaxBytes: 250 * 1024, extras: /(-form|-drawer|-choice|virtual-rows|week-calendar|map)\.tsx$/ },
  { name: "player", firstViewMaxBytes: 250 * 1024, workers: ["sw.ts"] },
];

/** Where wrangler.toml's `[assets]` looks. */
export const ASSETS_DIR = resolve(ROOT, "dist/assets");
const STAMP = "built.json";

/** Hashed files never change; nothing of ours is to be guessed at, framed or told about. */
const HEADERS = APPS.map(
  ({ name }) => `/${name}/assets/*
  Cache-Control: public, max-age=31536000, immutable
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer
  Cross-Origin-Resource-Policy: same-origin
`,
).join("");

export interface Built {
  /** False where nothing had changed since the last build. */
  fresh: boolean;
  /** One line for each page: what it weighs. */
  report: string[];
}

/**
 * Builds the pages into `dist/assets`, unless that was made of the same inputs. The folder is replaced as a whole, so that a Worker
 * that serves it never sees half of it.
 * @throws Stop where something does not build or a page has grown too heavy.
 */
export async function buildAssets(): Promise<Built> {
  const inputs = hashInputs();
  const last = readStamp();
  if (last?.inputs === inputs) return { fresh: false, report: last.report };
  mkdirSync(resolve(ROOT, "dist"), { recursive: true });
  const folder = mkdtempSync(resolve(ROOT, "dist/build-"));
  try {
    const report: string[] = [];
    for (const app of APPS) if (existsSync(pageOf(app))) report.push(await buildApp(app, folder));
    writeFileSync(join(folder, "_headers"), HEADERS);
    // wrangler is told not to upload what is only for us.
    writeFileSync(join(folder, ".assetsignore"), `${STAMP}\n`);
    writeFileSync(join(folder, STAMP), JSON.stringify({ inputs, report }));
    replaceFolder(folder);
    return { fresh: true, report };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const pageOf = ({ name }: App) => resolve(ROOT, "src", name, "index.html");

async function buildApp(app: App, folder: string): Promise<string> {
  const out = join(folder, app.name);
  const options = {
    target: "browser",
    format: "esm",
    minify: true,
    sourcemap: "none",
    define: { "process.env.NODE_ENV": '"production"' },
    throw: false,
  } as const;
  const page = await Bun.build({
    ...options,
    entrypoints: [pageOf(app)],
    outdir: out,
    splitting: true,
    metafile: true,
    publicPath: `/${app.name}/`,
    naming: { entry: "[name].[ext]", chunk: "assets/[name]-[hash].[ext]", asset: "assets/[name]-[hash].[ext]" },
  });
  const workers = (app.workers ?? []).map((file) => resolve(ROOT, "src", app.name, file)).filter((file) => existsSync(file));
  const built = [page];
  if (workers.length > 0) built.push(await Bun.build({ ...options, entrypoints: workers, outdir: out, naming: "[name].[ext]" }));
  const failed = built.find((one) => !one.success);
  if (failed) throw new Stop(`Building src/${app.name} failed:\n${failed.logs.join("\n")}`);
  // The bundler links the page's own styles alone: those of a part that is loaded later would never come.
  const styles = listFiles(out).filter((path) => path.endsWith(".css"));
  if (styles.length > 1)
    throw new Stop(`src/${app.name} makes several style files (${styles.join(", ")}): import styles in its main file.`);
  writeFileSync(join(out, "files.json"), JSON.stringify(listFiles(out)));
  return weigh(app, out, page.metafile as Metafile);
}

/** The paths that a page's files are served under: what a service worker keeps for the time without a network. */
function listFiles(out: string): string[] {
  return readdirSync(join(out, "assets"))
    .sort()
    .map((file) => `assets/${file}`);
}

/** What a page weighs; none of its first views may be too heavy. */
function weigh({ name, firstViewMaxBytes, extras }: App, out: string, metafile: Metafile): string {
  const sizes = new Map<string, number>();
  const sizeOf = (path: string) => {
    const known = sizes.get(path) ?? gzipSync(readFileSync(join(out, path))).length;
    sizes.set(path, known);
    return known;
  };
  const gzipped = (paths: Iterable<string>) => [...paths].reduce((sum, path) => sum + sizeOf(path), 0);
  const views = firstViews(
    metafile,
    `src/${name}/index.html`,
    (source) => new RegExp(`^src/${name}/pages/[^/]+/index\\.tsx$`).test(source),
    (source) => extras?.test(source) ?? false,
  );
  const short = (view: string) => view.replaceAll(`src/${name}/`, "").replaceAll(/pages\/|\/index\.tsx|\.tsx/g, "");
  const weights = [...views].map(([view, paths]) => ({ view: short(view), bytes: gzipped(paths) })).sort((a, b) => b.bytes - a.bytes);
  const [heaviest = { view: "", bytes: 0 }] = weights;
  const first = weights.find(({ view }) => view === "overview") ?? heaviest;
  const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
  const files = listFiles(out);
  const [scripts, styles] = [".js", ".css"].map((ending) => gzipped(files.filter((path) => path.endsWith(ending))));
  const line = `/${name}: first view ${kb(first.bytes)} of JavaScript (heaviest of ${weights.length}: ${heaviest.view || "itself"}, ${kb(heaviest.bytes)}), ${kb(styles ?? 0)} of CSS; all ${files.length} files ${kb(scripts ?? 0)} of JavaScript, gzipped`;
  const over = weights.filter(({ bytes }) => bytes > firstViewMaxBytes).map(({ view, bytes }) => `${view || "itself"}: ${kb(bytes)}`);
  if (over.length > 0) throw new Stop(`${line}\nOver the ${kb(firstViewMaxBytes)} that a first view may have:\n${over.join("\n")}`);
  return line;
}

/** A hash of all that the pages are made of, the way they are made included. */
function hashInputs(): string {
  const hash = createHash("sha256").update(Bun.version);
  const add = (path: string) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) add(join(path, name));
    else hash.update(path.slice(ROOT.length)).update("\0").update(readFileSync(path)).update("\0");
  };
  for (const path of ["src", "bun.lock"]) add(resolve(ROOT, path));
  return hash.digest("hex");
}

function readStamp(): { inputs: string; report: string[] } | null {
  try {
    return JSON.parse(readFileSync(join(ASSETS_DIR, STAMP), "utf8"));
  } catch {
    return null;
  }
}

function replaceFolder(folder: string): void {
  const old = `${folder}-old`;
  if (existsSync(ASSETS_DIR)) renameSync(ASSETS_DIR, old);
  try {
    renameSync(folder, ASSETS_DIR);
  } catch (error) {
    // Somebody else's build of the same moment was faster, and is as good.
    if (!existsSync(ASSETS_DIR)) throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

if (import.meta.main) {
  const { report } = await buildAssets();
  for (const line of report) console.log(line);
}
