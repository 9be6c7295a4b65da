import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** What a file takes from other files and packages, types too: an approximation that errs on the side of the real runtime. */
const SPECIFIER = /(?:from|import)\s*\(?\s*["']([^"']+)["']/g;

/** What workerd has and Node 24 has not. */
const BEYOND_NODE = /\.(?:to|from|setFrom)(?:Hex|Base64)\(/;

/** Whether a test, or a file that it loads, asks for anything of the Workers runtime. Those that do not are run by Node, which starts faster. */
export function needsWorkerd(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = readFileSync(file, "utf8");
  if (BEYOND_NODE.test(text)) return true;
  for (const [, path = ""] of text.matchAll(SPECIFIER)) {
    if (path.startsWith("cloudflare:")) return true;
    if (path.startsWith(".") && /\.tsx?$/.test(path) && needsWorkerd(resolve(dirname(file), path), seen)) return true;
  }
  return false;
}
