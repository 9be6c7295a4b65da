import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expectAccessible, signInByToken, soon } from "./acts.ts";
import { makeProgramme, type Programme, picture, tokenOf } from "./programme.ts";
import { openSite, type Site } from "./site.ts";

const PART_BYTES = 5 * 1024 * 1024;

let site: Site;
let programme: Programme;
beforeAll(async () => {
  site = await openSite();
  programme = await makeProgramme(site, { stores: 1, contents: 3 });
}, 300_000);
afterAll(() => site.close());

const folder = mkdtempSync(join(tmpdir(), "alive-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A picture on disk, as somebody has it. */
function fileOf(name: string, buffer: Buffer<ArrayBufferLike>) {
  const path = join(folder, name);
  writeFileSync(path, buffer);
  return { name, mimeType: "image/png", path, buffer, sha256: createHash("sha256").update(buffer).digest("hex") };
}

/** One of three parts: 11 MB, since noise does not pack. */
function large(name: string, seed: number) {
  return fileOf(name, Buffer.from(picture(2400, 1520, seed, true)));
}

/** Notes the parts that are sent, and cuts off those from a number on for as long as it is told to. */
async function watchParts(page: Page) {
  const sent: number[] = [];
  const line = { cutFrom: Number.POSITIVE_INFINITY, hold: false };
  await page.route("**/uploads/*/parts/*", async (route) => {
    const number = Number(route.request().url().split("/").at(-1));
    if (line.hold) return;
    if (number >= line.cutFrom) return await route.abort("connectionreset");
    sent.push(number);
    await route.continue();
  });
  return { sent, line };
}

const upload = (page: Page, ...files: { path: string }[]) =>
  page
    .locator('input[type="file"]')
    .first()
    .setInputFiles(files.map(({ path }) => path));

async function versionsOf(sha256: string) {
  return (await site.api<{ items: { content_id: string; bytes: number }[] }>("GET", `/v1/admin/content-versions?sha256=${sha256}`)).items;
}

test("several files go at once; one that is cut off goes on by itself, and no part is sent twice", async () => {
  const visit = await site.visit({ colorScheme: "dark" });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  const { sent, line } = await watchParts(page);
  line.cutFrom = 2;
  await page.goto("/console/content");
  await page.getByText("3 pieces of content").waitFor();
  const big = large("Harbour at night.png", 1);
  await upload(page, big, fileOf("<b>Bold<b>.png", Buffer.from(picture(64, 36, 9))));
  const row = page.getByRole("listitem").filter({ hasText: "Harbour at night.png" });
  await row.getByText(/Cut off at \d+%; it goes on by itself/).waitFor();
  const other = page.getByRole("listitem").filter({ hasText: "<b>Bold<b>.png" });
  await other.getByText("Uploaded; the hash is the same on the server").waitFor();
  await expectAccessible(page);
  line.cutFrom = Number.POSITIVE_INFINITY;
  // From one part, or from two, where the line came back between two parts of a try.
  await row.getByText(/^Uploaded, gone on from (5\.2|10\.5) MB; the hash is the same on the server$/).waitFor();
  // The small file's only part, then each part of the large one.
  expect(sent.sort()).toEqual([1, 1, 2, 3]);
  expect(await versionsOf(big.sha256)).toMatchObject([{ bytes: big.buffer.length }]);
  await row.getByRole("link", { name: "Harbour at night.png" }).click();
  const preview = page.getByRole("img", { name: "Harbour at night" });
  await preview.waitFor();
  await page.waitForFunction(() => [...document.images].some(({ naturalWidth }) => naturalWidth === 2400));
  expect(await page.getByRole("region", { name: "Newest version" }).textContent()).toContain(
    `${big.sha256.slice(0, 4)}…${big.sha256.slice(-4)}`,
  );
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("an upload is paused and resumed, and no part is sent twice", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  const { sent, line } = await watchParts(page);
  await page.goto("/console/content");
  line.hold = true;
  const first = large("Paused.png", 3);
  await upload(page, first);
  await page.getByRole("button", { name: "Pause Paused.png" }).click();
  await page.getByText(/^Paused at/).waitFor();
  expect(sent).toEqual([]);
  line.hold = false;
  await page.getByRole("button", { name: "Resume Paused.png" }).click();
  await page.getByText("Uploaded; the hash is the same on the server").waitFor();
  expect(sent.sort()).toEqual([1, 2, 3]);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("an upload that the page's end cut off goes on when the same file is dropped, and a file that is here is not sent", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  const { sent, line } = await watchParts(page);
  await page.goto("/console/content");
  line.cutFrom = 3;
  const second = large("Cut off.png", 4);
  await upload(page, second);
  await page.getByText(/Cut off at \d+%/).waitFor();
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await page.getByText("Cut off. Drop the same file here again, and it goes on where it was.").waitFor();
  expect(sent.sort()).toEqual([1, 2]);
  line.cutFrom = Number.POSITIVE_INFINITY;
  await drop(page, second);
  await page.getByText("Uploaded, gone on from 10.5 MB; the hash is the same on the server").waitFor();
  expect(sent.sort()).toEqual([1, 2, 3]);
  expect(2 * PART_BYTES).toBe(10_485_760);
  expect((await versionsOf(second.sha256)).length).toBe(1);

  // The same file once more is not sent at all.
  sent.length = 0;
  await upload(page, second);
  await page.getByText("This file is here already").waitFor();
  expect(sent).toEqual([]);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("content is filtered, looked at, told where it is used, and kept while it is; a viewer only looks", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/content?tag=season");
  const card = page.getByRole("link", { name: /Autumn 15 s/ });
  await card.waitFor();
  await page.waitForFunction(() => document.querySelector<HTMLImageElement>(".card img")?.naturalWidth === 320);
  await expectAccessible(page);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Autumn 15 s", level: 1 }).waitFor();
  await page.getByRole("region", { name: "Where is it used?" }).getByRole("link", { name: "Morning coffee" }).waitFor();
  await page.getByRole("img", { name: "Autumn 15 s" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Archive" }).click();
  await page
    .getByRole("alert")
    .getByText(/playlist/)
    .waitFor();

  // What no picture is, is refused in words and leaves nothing behind it in the list of files.
  await page.goto("/console/content");
  await upload(page, fileOf("notes.png", Buffer.from("no picture at all")));
  await page.getByText("The file's first bytes are of no kind that screens are given").waitFor();
  expect(faults).toEqual([]);
  await context.close();

  const viewer = await site.visit();
  await signInByToken(viewer, await tokenOf(site, "viewer"));
  await viewer.page.goto(`/console/content/${programme.contents[0]?.id}`);
  await viewer.page.getByRole("img", { name: "Autumn 15 s" }).waitFor();
  await soon(async () => await viewer.page.getByRole("button", { name: /Upload|Archive|Edit/ }).count(), 0);
  expect(viewer.faults).toEqual([]);
  await viewer.context.close();
}, 300_000);

/** Drops a file onto the page, as from a folder. */
async function drop(page: Page, { name, mimeType, buffer }: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
  const dropped = await page.evaluateHandle(
    ([file, type, text]) => {
      const bytes = Uint8Array.from(atob(text ?? ""), (character) => character.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], file ?? "", { type: type ?? "" }));
      return transfer;
    },
    [name, mimeType, buffer.toString("base64")],
  );
  await page.dispatchEvent("#root", "dragenter", { dataTransfer: dropped });
  await page.getByText("Drop files to upload them").waitFor();
  await page.dispatchEvent(".mantine-Dropzone-root", "drop", { dataTransfer: dropped });
}
