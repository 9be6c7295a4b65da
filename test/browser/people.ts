import type { Page } from "playwright-core";
import type { Site, Visit } from "./site.ts";

export const PASSWORD = "nine quiet lanterns";

/** Types who one is into the sign-in form of the page in view. */
export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Somebody with an account, as by an invitation that they accepted. */
export async function makePerson(
  { api, url }: Site,
  person: { email: string; name: string; role: "admin" | "operator" | "viewer"; scope?: object },
): Promise<{ id: string; name: string; email: string }> {
  const { email, name, role, scope } = person;
  const { token } = await api<{ token: string }>("POST", "/v1/admin/invitations", { email, role, ...(scope ? { scope } : {}) });
  const answer = await fetch(`${url}/v1/invitations/accept`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Requested-With": "alive-console", Origin: url },
    body: JSON.stringify({ token, name, password: PASSWORD }),
  });
  if (!answer.ok) throw new Error(`${email}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { id: string; name: string; email: string };
}

/** A visit in which somebody is signed in, by their session's cookie. */
export async function visitAs(site: Site, email: string, options: Parameters<Site["visit"]>[0] = {}): Promise<Visit> {
  const visit = await site.visit(options);
  const answer = await visit.context.request.post(`${site.url}/api/auth/sign-in/email`, {
    headers: { "X-Requested-With": "alive-console", Origin: site.url },
    data: { email, password: PASSWORD },
  });
  if (!answer.ok()) throw new Error(`${email}: ${answer.status()} ${await answer.text()}`);
  return visit;
}

const FIRST = [
  "Ann",
  "Bao",
  "Carla",
  "Dieu",
  "Emil",
  "Fatma",
  "Giang",
  "Hana",
  "Ivo",
  "Jun",
  "Kaja",
  "Linh",
  "Mai",
  "Nils",
  "Oanh",
  "Petra",
];
const LAST = ["Nguyen", "Lindqvist", "Okafor", "Tran", "Weiss", "Moreau", "Kato", "Silva"];

/** A network's worth of what the settings show: suppliers, brands, people, groups, tokens, and a webhook with its history. */
export async function seedSettings({ api, stack }: Site): Promise<{ supplierId: string; groupId: string; webhookId: string }> {
  const suppliers: { id: string }[] = [];
  for (const name of ["Northern Retail", "Harbour Malls", "Saigon Fresh", "City Pharmacies", "<b>Bold</b> & Sons"]) {
    suppliers.push(await api<{ id: string }>("POST", "/v1/admin/suppliers", { name }));
  }
  const [supplier] = suppliers;
  if (!supplier) throw new Error("no supplier was made");
  for (const brand_name of ["Cola", "Lotus Tea", "Nordic Bikes"]) {
    await api("POST", "/v1/admin/campaigns", { brand_name, name: `${brand_name} autumn` });
  }
  const now = Date.now();
  const people = FIRST.flatMap((first, index) => [`${first} ${LAST[index % 8]}`, `${first} ${LAST[(index + 3) % 8]}`]).slice(0, 26);
  const values = people.map((name, index) => {
    const role = index % 9 === 0 ? "admin" : index % 3 === 0 ? "operator" : "viewer";
    const scope = index % 4 === 0 ? `{"supplier_id":"${supplier.id}"}` : index % 4 === 1 ? '{"brand_name":"Lotus Tea"}' : null;
    const seen = index % 7 === 3 ? "NULL" : now - index * index * 3_600_000;
    const held = role === "viewer" && scope ? `'${scope}'` : "NULL";
    const email = `${name.toLowerCase().replace(" ", ".")}@example.com`;
    const id = `0192f0c1-2a3b-7c4d-8e5f-${String(index).padStart(12, "0")}`;
    const disabled = index % 11 === 10 ? now - 86_400_000 : "NULL";
    return `('${id}', '${name}', '${email}', '${role}', ${held}, ${index % 2}, ${seen}, ${disabled}, ${now - 9e9}, ${now - 9e9})`;
  });
  await stack.sql(
    `INSERT INTO users (id, name, email, role, scope_json, two_factor_enabled, last_sign_in_at, disabled_at, created_at, updated_at)
     VALUES ${values.join(", ")}`,
  );
  const group = await api<{ id: string }>("POST", "/v1/admin/device-groups", {
    name: "Entrance screens",
    policy: { heartbeat_interval_s: 30, signature: "required", max_age_hours: { "playback-log": 48 } },
  });
  for (const name of ["Checkout screens", "Fuel pumps", "Warehouse", "Windows, portrait"]) {
    await api("POST", "/v1/admin/device-groups", { name });
  }
  for (const [name, role] of [
    ["Billing export", "viewer"],
    ["Night job", "operator"],
    ["Grafana", "viewer"],
  ] as const) {
    await api("POST", "/v1/admin/tokens", { name, role });
  }
  await api("POST", "/v1/admin/invitations", { email: "new.colleague@example.com", role: "operator" });
  await api("POST", "/v1/admin/webhooks", { name: "Pager", url: "https://pager.example.org/in", events: ["incident.opened"] });
  const webhookId = await seedWebhook({ api, stack }, now);
  return { supplierId: supplier.id, groupId: group.id, webhookId };
}

/** A webhook with messages and attempts, as deliveries leave them. The receiver's answer holds HTML. */
async function seedWebhook({ api, stack }: Pick<Site, "api" | "stack">, now: number): Promise<string> {
  const { id } = await api<{ id: string }>("POST", "/v1/admin/webhooks", {
    name: "Billing at Acme",
    url: "https://billing.acme-example.org/plays",
    events: ["playback.logged", "incident.opened"],
  });
  const messageId = (n: number) => `msg_0192f0c1-2a3b-7c4d-8e5f-${String(n).padStart(12, "0")}`;
  const messages = Array.from({ length: 24 }, (_, n) => {
    const status = n % 8 === 5 ? "failed" : "delivered";
    const at = now - (24 - n) * 1_800_000;
    const data = JSON.stringify({ incident: { id: `i${n}`, type: "LOW_STORAGE", device_name: "<i>Window</i> 4" } });
    return `('${id}', '${messageId(n)}', 'incident.opened', ${at}, '${data}', '${status}', ${status === "failed" ? 10 : 1}, NULL, ${at + 900})`;
  });
  await stack.sql(
    `INSERT INTO webhook_messages (webhook_id, id, type, created_at, data_json, status, tries, next_attempt_at, ended_at)
     VALUES ${messages.join(", ")}`,
  );
  const attempts = Array.from({ length: 24 }, (_, n) => {
    const failed = n % 8 === 5;
    const answer = failed ? "<html><script>alert(1)</script>502 Bad Gateway</html>" : '{"ok":true}';
    return `('${id}', '0192f0c1-2a3b-7c4d-9e5f-${String(n).padStart(12, "0")}', '${messageId(n)}', ${now - (24 - n) * 1_800_000},
      '${failed ? "refused" : "delivered"}', ${failed ? 502 : 200}, ${120 + n * 7}, NULL, '${answer}')`;
  });
  await stack.sql(
    `INSERT INTO webhook_attempts (webhook_id, id, message_id, created_at, outcome, status_code, duration_ms, error, response)
     VALUES ${attempts.join(", ")}`,
  );
  return id;
}
