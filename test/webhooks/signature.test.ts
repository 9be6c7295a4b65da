import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { liveSecrets, signatureHeaders, signingSecret } from "../../src/webhooks/signature.ts";
import fc from "../support/property.ts";

const NOW = Date.UTC(2026, 10, 21);
const ID = "01999999-0000-7000-8000-000000000001";

test("the example of the specification's libraries is signed as they sign it", async () => {
  const headers = await signatureHeaders(
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1_614_265_330_000,
    '{"test": 2432232314}',
  );
  expect(headers).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

test("any message is signed as the official library signs it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme" }),
      fc.integer({ min: 0, max: 4e12 }),
      fc.integer({ min: 1, max: 99 }),
      async (body, now, version) => {
        const secret = await signingSecret("hash-secret", ID, version);
        const headers = await signatureHeaders([secret], "msg_1", now, body);
        expect(headers["webhook-signature"]).toBe(new Webhook(secret).sign("msg_1", new Date(now), body));
      },
    ),
    { numRuns: 200 },
  );
});

test("a secret has 256 bits, and depends on the webhook, its version and the Worker's secret alone", async () => {
  const secret = await signingSecret("hash-secret", ID, 1);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(await signingSecret("hash-secret", ID, 1)).toBe(secret);
  const others = [
    await signingSecret("hash-secret", ID, 2),
    await signingSecret("hash-secret", ID.replace("1", "2"), 1),
    await signingSecret("other-secret", ID, 1),
  ];
  expect(new Set([secret, ...others]).size).toBe(4);
});

test("the secret before signs too until its time is over", async () => {
  const webhook = { id: ID, secret_version: 3, previous_secret_expires_at: NOW };
  const [third, second] = [await signingSecret("s", ID, 3), await signingSecret("s", ID, 2)];
  expect(await liveSecrets("s", webhook, NOW - 1)).toEqual([third, second]);
  expect(await liveSecrets("s", webhook, NOW)).toEqual([third]);
  expect(await liveSecrets("s", { ...webhook, previous_secret_expires_at: null }, NOW)).toEqual([third]);
  expect(await liveSecrets("s", { ...webhook, secret_version: 1 }, 0)).toEqual([await signingSecret("s", ID, 1)]);
});
