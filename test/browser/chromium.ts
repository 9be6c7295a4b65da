import { existsSync } from "node:fs";
import { type Browser, chromium as playwright } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const PLACES = [
  "/usr/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const HOW = `The browser tests need Chromium. Install it (Debian and Ubuntu: "sudo apt-get install chromium"), or name one in CHROMIUM_PATH.`;

/** Nothing but the pages under test reaches the network, and a container's root may run it. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the machine's Chromium; on Debian, where there is none, it is installed first. @throws Error that says how to get one. */
export async function launchChromium(): Promise<Browser> {
  return await playwright.launch({ executablePath: await findChromium(), args: ARGUMENTS });
}

async function findChromium(): Promise<string> {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`There is no file at CHROMIUM_PATH, ${named}.`);
  }
  const found = installed();
  if (found) return found;
  await installFromDebian();
  const now = installed();
  if (!now) throw new Error(HOW);
  return now;
}

function installed(): string | null {
  return PLACES.find((path) => existsSync(path)) ?? NAMES.map((name) => Bun.which(name)).find((path) => path !== null) ?? null;
}

/** Only by root, or by who may become root without being asked. */
async function installFromDebian(): Promise<void> {
  if (!Bun.which("apt-get")) return;
  const asRoot = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (asRoot.length > 0 && !Bun.which("sudo")) return;
  console.log("There is no Chromium here: installing Debian's.");
  for (const command of [
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
  ]) {
    const child = Bun.spawn([...asRoot, ...command], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if ((await child.exited) !== 0) throw new Error(`"${command.join(" ")}" failed. ${HOW}`);
  }
}
