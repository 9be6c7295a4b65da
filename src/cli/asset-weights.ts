/** As much of the bundler's metafile as says what a page loads. */
export interface Metafile {
  outputs: Record<string, { entryPoint?: string; imports: { path: string; kind: string }[] }>;
}

/**
 * The scripts that a page loads before anybody clicks, for each of its first views: those that its HTML names with all that they import
 * at once, and the part that is shown first with all that that imports. By the source of that part; `""` where the page has no parts.
 * Pure.
 */
export function firstViews({ outputs }: Metafile, html: string, isView: (source: string) => boolean): Map<string, Set<string>> {
  const entryOf = (test: (source: string) => boolean) =>
    Object.entries(outputs).filter(([path, { entryPoint }]) => path.endsWith(".js") && entryPoint !== undefined && test(entryPoint));
  const closure = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const next of outputs[path]?.imports ?? []) if (next.kind === "import-statement") closure(next.path, seen);
    return seen;
  };
  const base = entryOf((source) => source === html).map(([path]) => path);
  const viewOf = (path: string | null) => new Set([...base, ...(path === null ? [] : [path])].flatMap((one) => [...closure(one)]));
  const views = entryOf(isView).map(([path, { entryPoint = "" }]) => [entryPoint, viewOf(path)] as const);
  return new Map(views.length > 0 ? views : [["", viewOf(null)]]);
}
