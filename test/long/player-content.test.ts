import { afterAll, beforeAll, expect, test } from "bun:test";
import { byStatus, recorded, reported } from "../browser/books.ts";
import { makeProgramme } from "../browser/player-programme.ts";
import { startPlayer, until, untilKept, untilKeptValue, untilReached, untilShown, untilStatus } from "../browser/screen.ts";
import { openSite, type Site } from "../browser/site.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite();
}, 300_000);
afterAll(() => site.close());

/** A page that says what it can reach. */
const CURIOUS = `<!doctype html><html><body><p id="said"></p><script>
  const words = ["origin " + origin];
  try { localStorage.length; words.push("storage"); } catch { words.push("no storage"); }
  try { parent.document.title; words.push("parent"); } catch { words.push("no parent"); }
  fetch("/v1/device/time", { method: "POST", body: "{}" }).then(() => "network", () => "no network")
    .then((word) => { document.getElementById("said").textContent = [...words, word].join(", "); });
</script></body></html>`;

test.concurrent("the player's page comes with a policy that names no other origin but for frames, and is in nobody's frame", async () => {
  const answer = await fetch(`${site.url}/player`);
  expect(answer.headers.get("Content-Security-Policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob: data:; media-src blob:; connect-src 'self'; worker-src 'self'; frame-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(answer.headers.get("Cache-Control")).toBe("no-store");
  const worker = await fetch(`${site.url}/player/sw.js`);
  expect([worker.status, worker.headers.get("Service-Worker-Allowed"), worker.headers.get("Cache-Control")]).toEqual([
    200,
    "/player",
    "no-cache",
  ]);
});

test.concurrent("an uploaded page runs its scripts, online and off, and reaches neither the player nor the network", async () => {
  const programme = await makeProgramme(site, [
    { name: "Curious", type: "web", durationMs: 1500, html: CURIOUS },
    { name: "Poster", type: "image", durationMs: 1000 },
  ]);
  const player = await startPlayer(site, programme, "Page");
  const said = async () => {
    await untilShown(player.page, "web", (await untilShown(player.page, "image")) + 1);
    const frame = player.page.frameLocator(".layer[data-state=on] iframe");
    await frame.locator("#said", { hasText: "origin" }).waitFor();
    return await frame.locator("#said").textContent();
  };
  await untilKept(player.page);
  expect(await said()).toBe("origin null, no storage, no parent, no network");
  await player.context.setOffline(true);
  expect(await said()).toBe("origin null, no storage, no parent, no network");
  expect(player.violations).toEqual([]);
  await player.context.close();
}, 300_000);

test.concurrent("a page on the web is framed without an origin, the only request that leaves, and passed over without a network", async () => {
  const programme = await makeProgramme(site, [
    { name: "Offers", type: "web", durationMs: 1200, url: "https://offers.example/autumn" },
    { name: "Poster", type: "image", durationMs: 1000 },
  ]);
  const player = await startPlayer(site, programme, "Web", async (context) => {
    await context.route("https://offers.example/**", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: "<!doctype html><p id=said></p><script>said.textContent = 'origin ' + origin</script>",
      }),
    );
  });
  await untilShown(player.page, "web");
  expect(await player.page.frameLocator(".layer[data-state=on] iframe").locator("#said").textContent()).toBe("origin null");
  await player.context.setOffline(true);
  await untilStatus(player.page, "Now", "image");
  const from = player.turns.length;
  await untilShown(player.page, "image", (await untilShown(player.page, null)) + 4);
  expect(player.turns.slice(from).map(({ type }) => type)).not.toContain("web");
  const back = player.turns.length;
  await player.context.setOffline(false);
  await untilReached(player.page);
  await untilShown(player.page, "web");
  expect(player.turns.slice(back).map(({ type }) => type)).toContain("web");
  expect(new Set(player.faults.filter((fault) => fault.startsWith("request")))).toEqual(
    new Set(["request to another origin: https://offers.example/autumn"]),
  );
  expect(player.violations).toEqual([]);
  await player.context.close();
}, 300_000);

test.concurrent("a picture that cannot be decoded is told as a failed play, and the others go on", async () => {
  const broken = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3, 4]);
  const programme = await makeProgramme(site, [
    { name: "Broken", type: "image", durationMs: 1000, file: broken },
    { name: "Poster", type: "image", durationMs: 1000 },
  ]);
  const player = await startPlayer(site, programme, "Broken picture");
  await untilShown(player.page, "image", 5);
  await untilStatus(player.page, "Plays waiting", "0");
  await untilStatus(player.page, "Last error", "image");
  await player.context.close();
  const rows = await recorded(site, player.deviceId);
  expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(["COMPLETED", "ERROR"]));
  const failed = rows.filter(({ status }) => status === "ERROR");
  // Once, and again only after a while: not at each of its turns.
  expect(failed.length).toBeLessThan(rows.length / 3);
  expect(failed.every(({ billable }) => billable === 0)).toBe(true);
  expect(await reported(site, player.deviceId)).toEqual(byStatus(rows));
}, 300_000);

test.concurrent("one picture fades into the next where that is asked for, and both are there meanwhile", async () => {
  const programme = await makeProgramme(site, [
    { name: "Poster", type: "image", durationMs: 1500 },
    { name: "Spot", type: "video", durationMs: 2000 },
  ]);
  const player = await startPlayer(site, programme, "Fading");
  const fades: string[] = [];
  await player.page.exposeFunction("noteFade", (states: string) => void fades.push(states));
  await player.page.addInitScript(() => {
    // Before anybody on the page hears of it.
    const look = ({ target }: Event) => {
      const drawn = [...document.querySelectorAll<HTMLElement>(".layer")].map((layer) =>
        layer.querySelector("img:not([hidden]), video:not([hidden])") ? (layer === target ? "new" : "old") : "empty",
      );
      (globalThis as unknown as { noteFade(states: string): void }).noteFade(drawn.sort().join(" "));
    };
    document.addEventListener("animationend", look, { capture: true });
  });
  await player.page.goto("/player?crossfade=300");
  await untilShown(player.page, "video", 4);
  await until(async () => fades.length >= 3);
  expect(new Set(fades)).toEqual(new Set(["new old"]));
  expect(player.gaps).toEqual([]);
  expect(player.violations).toEqual([]);
  await player.context.close();
}, 300_000);

test.concurrent("a cap holds by the server's clock, over a restart too, and then the rest plays", async () => {
  const programme = await makeProgramme(site, [{ name: "Capped", type: "video", durationMs: 1000 }], {
    frequency_cap: { max_plays_per_day: 3 },
  });
  const house = await makeProgramme(site, [{ name: "House", type: "image", durationMs: 1000 }]);
  await site.api("PATCH", `/v1/admin/device-groups/${programme.groupId}`, { default_playlist_id: house.playlistId });
  const player = await startPlayer(site, programme, "Capped");
  await untilShown(player.page, "video");
  await untilKeptValue(player.page, "caps", '"inDay":1');
  await player.page.reload();
  await untilShown(player.page, "image", 6);
  expect(player.turns.map(({ type }) => type).slice(0, 7)).toEqual(["video", "video", "video", "image", "image", "image", "image"]);
  await player.context.close();
}, 300_000);
