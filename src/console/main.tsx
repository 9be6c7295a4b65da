import "@mantine/core/styles.css";
import "@mantine/dates/styles.css";
import "@mantine/dropzone/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "@fullcalendar/react/skeleton.css";
import "@fullcalendar/react/themes/classic/theme.css";
import "uplot/dist/uPlot.min.css";
import "./styles.css";
import "./parts/week.css";
import "./pages/content/content.css";
import "./pages/playlists/playlists.css";
import "./pages/schedules/schedules.css";
import "./pages/stores/stores.css";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { listenForShortcuts } from "./parts/shortcuts.ts";
import { guardHistory } from "./parts/unsaved.tsx";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
// Where libraries that add styles look for it: those that Mantine's dialogs use read this name.
Object.assign(globalThis, { __webpack_nonce__: nonce });

listenForShortcuts();
guardHistory();
const root = document.getElementById("root");
if (!root) throw new Error("the page has no #root");
createRoot(root).render(<App nonce={nonce} />);
