import { expect, test } from "vitest";
import { targetFault } from "../../src/webhooks/target.ts";

test.each([
  "https://billing.acme.com/plays",
  "https://billing.acme.com:443/plays?key=1",
  "https://BILLING.acme.com./x",
  "https://xn--bcher-kva.de/",
  "https://bücher.de/",
  "https://localhost.acme.com/",
  "https://10.acme.com/",
  "https://my-internal.io/",
])("%s may be called", (url) => {
  expect(targetFault(url, "signage.acme.com")).toBeNull();
});

const ADDRESS = "must name a domain, not an address";
const PRIVATE = "must name a public domain";

test.each([
  ["http://billing.acme.com/", "must begin with https://"],
  ["ftp://billing.acme.com/", "must begin with https://"],
  ["javascript:alert(1)", "must begin with https://"],
  ["file:///etc/passwd", "must begin with https://"],
  ["billing.acme.com", "is no URL"],
  ["https://", "is no URL"],
  ["https://user@billing.acme.com/", "must not hold a user name or password"],
  ["https://:secret@billing.acme.com/", "must not hold a user name or password"],
  ["https://billing.acme.com:8443/", "must not name a port: messages go to 443 only"],
  ["https://billing.acme.com:80/", "must not name a port: messages go to 443 only"],
  ["https://billing.acme.com/#x", "must not have a fragment"],
  ["https://127.0.0.1/", ADDRESS],
  ["https://127.1/", ADDRESS],
  ["https://2130706433/", ADDRESS],
  ["https://0x7f000001/", ADDRESS],
  ["https://0177.0.0.1/", ADDRESS],
  ["https://0x7f.0.0.1/", ADDRESS],
  ["https://10.0.0.1/", ADDRESS],
  ["https://172.16.0.1/", ADDRESS],
  ["https://192.168.1.1/", ADDRESS],
  ["https://169.254.169.254/latest/meta-data/", ADDRESS],
  ["https://100.64.0.1/", ADDRESS],
  ["https://0.0.0.0/", ADDRESS],
  ["https://0/", ADDRESS],
  ["https://8.8.8.8/", ADDRESS],
  ["https://127.0.0.1./", ADDRESS],
  ["https://①②⑦.0.0.1/", ADDRESS],
  ["https://[::1]/", ADDRESS],
  ["https://[::ffff:127.0.0.1]/", ADDRESS],
  ["https://[fd00::1]/", ADDRESS],
  ["https://[fe80::1]/", ADDRESS],
  ["https://[2606:4700::1111]/", ADDRESS],
  ["https://localhost/", PRIVATE],
  ["https://localhost./", PRIVATE],
  ["https://LOCALHOST/", PRIVATE],
  ["https://app.localhost/", PRIVATE],
  ["https://metadata.google.internal/", PRIVATE],
  ["https://internal/", PRIVATE],
  ["https://printer.local/", PRIVATE],
  ["https://router.home.arpa/", PRIVATE],
  ["https://intranet.corp/", PRIVATE],
  ["https://billing.lan/", PRIVATE],
  ["https://intranet/", PRIVATE],
  ["https://hidden.onion/", PRIVATE],
  ["https://billing.test/", PRIVATE],
  ["https://billing..acme.com/", PRIVATE],
  ["https://-billing.acme.com/", PRIVATE],
  ["https://signage.acme.com/v1/admin/stores", "must not be this server"],
  ["https://SIGNAGE.acme.com./", "must not be this server"],
  [`https://billing.acme.com/${"x".repeat(2048)}`, "may have 2048 characters at most"],
])("%s may not: it %s", (url, fault) => {
  expect(targetFault(url, "signage.acme.com:443")).toBe(fault);
});
