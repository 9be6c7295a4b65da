/** As much of the bundler's metafile as says what a page loads. */
export interface Metafile {
  outputs: Record<string, { entryPoint?: string; imports: { path: string; kind: string }[] }>;
}

/**
 * The scripts that a page loads before anybody clicks, for each of its first views: those that its HTML names with all that they import
 * at once, and the part that is shown first with all that that imports. By the source of that part; `""` where the page has no parts.
 * What a part fetches later may be its first view too, since each has an address of its own, or a chart that comes by itself: each is a
 * view, by the sources of the way there joined by ` > `. `isExtra` tells what is drawn into a view that is there already. Pure.
 */
export function firstViews(
  { outputs }: Metafile,
  html: string,
  isView: (source: string) => boolean,
  isExtra: (source: string) => boolean = () => false,
): Map<string, Set<string>> {
  const entryOf = (test: (source: string) => boolean) =>
    Object.entries(outputs).filter(([path, { entryPoint }]) => path.endsWith(".js") && entryPoint !== undefined && test(entryPoint));
  const closure = (path: string, seen: ReadonlySet<string>): Set<string> => {
    const found = new Set(seen);
    const add = (one: string) => {
      if (found.has(one)) return;
      found.add(one);
      for (const next of outputs[one]?.imports ?? []) if (next.kind === "import-statement") add(next.path);
    };
    add(path);
    return found;
  };
  const base = entryOf((source) => source === html).reduce((paths, [path]) => closure(path, paths), new Set<string>());
  const views = new Map<string, Set<string>>();
  const addView = (way: string[], path: string, before: Set<string>) => {
    const paths = closure(path, before);
    views.set(way.join(" > "), paths);
    const later = [...paths].filter((one) => !before.has(one)).flatMap((one) => outputs[one]?.imports ?? []);
    for (const { path: next, kind } of later) {
      const source = outputs[next]?.entryPoint;
      if (kind === "dynamic-import" && source !== undefined && !paths.has(next) && !isExtra(source)) addView([...way, source], next, paths);
    }
  };
  for (const [path, { entryPoint = "" }] of entryOf(isView)) addView([entryPoint], path, base);
  return views.size > 0 ? views : new Map([["", base]]);
}
