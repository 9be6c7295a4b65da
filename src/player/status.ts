import { byId, make } from "./elements.ts";

/** Lines of the status: what, and how it stands. */
export type StatusLine = readonly [name: string, value: string];

/** The key that shows the status and takes it away; Escape takes it away, too. */
const KEY = "i";
const REFRESH_MS = 1000;

/** Shows what `lines` says, once a second, while somebody looks at it. */
export function statusOnKey(lines: () => Promise<readonly StatusLine[]>): void {
  const panel = byId("status");
  const list = make("dl");
  panel.replaceChildren(list, make("p", `Press ${KEY.toUpperCase()} to hide this, F for full screen.`));
  let timer: ReturnType<typeof setInterval> | undefined;
  const refresh = async () => {
    const now = await lines();
    list.replaceChildren(...now.flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
  };
  const show = (visible: boolean) => {
    clearInterval(timer);
    panel.hidden = !visible;
    if (!visible) return;
    void refresh();
    timer = setInterval(() => void refresh(), REFRESH_MS);
  };
  document.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === KEY) show(panel.hidden !== false);
    else if (event.key === "Escape") show(false);
    else if (event.key.toLowerCase() === "f") void fullScreen();
  });
}

async function fullScreen(): Promise<void> {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => undefined);
}
