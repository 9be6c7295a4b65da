import { expect, test } from "vitest";
import { adminCode, claim, makePlace, makePlayer } from "../devices/player.ts";
import { deliverAt, makeWebhook, receivedBy, verified } from "../support/webhooks.ts";

test("a device that is paired is told of, and again when its player is replaced; a claim that loses tells nothing", async () => {
  const webhook = await makeWebhook(["device.paired"]);
  const { storeId, groupId, supplierId } = await makePlace();
  const told = async () => {
    const now = Date.now() + 1000;
    await deliverAt(webhook, now);
    return (await receivedBy(webhook)).map((message) => verified(webhook.secret, message, now));
  };

  const code = await adminCode({ store_id: storeId, group_id: groupId, name: "Window left" });
  const answers = await Promise.all([claim(await makePlayer(), code), claim(await makePlayer(), code)]);
  const winner = answers.find(({ status }) => status === 200)?.body;
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const device = {
    id: winner?.device_id,
    external_name: "Window left",
    status: "active",
    store_id: storeId,
    supplier_id: supplierId,
    group_id: groupId,
    player_version: "1.2.3",
  };
  const common = { claim_id: expect.any(String), kid: expect.any(String), device_id: winner?.device_id };
  const paired = { type: "device.paired", timestamp: expect.any(String), data: { ...common, replaced: false, device } };
  expect(await told()).toEqual([paired]);

  const replacing = await adminCode({ device_id: winner?.device_id });
  expect((await claim(await makePlayer(), replacing)).status).toBe(200);
  const [first, second] = await told();
  expect(first).toEqual(paired);
  expect(second).toEqual({ ...paired, data: { ...common, replaced: true, device } });
  expect(second?.data.kid).not.toBe(first?.data.kid);
});
