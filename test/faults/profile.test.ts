import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { makeDevice, playLog, postOne } from "../support/device.ts";

test("a profile that was read earlier and comes later does not take the place of a newer one: a revoked device stays revoked", async () => {
  const device = await makeDevice();
  const stub = env.SEQUENCER.getByName(device.id);
  expect((await postOne(device, await device.sign(playLog(device)))).status).toBe(202);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let reads = 0;
  // The first read of the profile is made at once, and its answer is held back.
  const slow = new Proxy(env.DB, {
    get(target, property) {
      const value = Reflect.get(target, property);
      if (property !== "batch") return typeof value === "function" ? value.bind(target) : value;
      return async (statements: D1PreparedStatement[]) => {
        reads += 1;
        const first = reads === 1;
        const result = await target.batch(statements);
        if (first) await held;
        return result;
      };
    },
  });
  await runInDurableObject(stub, (instance) => {
    Reflect.set(instance, "env", { ...env, DB: slow });
  });
  const older = runInDurableObject(stub, (instance) => instance.refreshProfile());
  while (reads === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await env.DB.batch([
    env.DB.prepare("UPDATE devices SET status = 'revoked' WHERE id = ?").bind(device.id),
    env.DB.prepare("INSERT INTO profile_pushes (device_id, created_at) VALUES (?, 0)").bind(device.id),
  ]);
  const version = await runInDurableObject(stub, (instance) => instance.refreshProfile());
  expect(version).toBeGreaterThan(0);
  release();
  expect(await older).toBe(version);
  expect((await postOne(device, await device.sign(playLog(device)))).status).toBe(403);
});
