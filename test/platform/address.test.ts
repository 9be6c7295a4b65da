import { expect, test } from "vitest";
import { coarseNetwork, ipv6Groups } from "../../src/platform/address.ts";

test.each([
  ["203.0.113.77", "203.0.113.0/24"],
  ["::ffff:203.0.113.77", "203.0.113.0/24"],
  ["2001:0DB8:0001:2::77", "2001:db8:1::/48"],
  ["::1", "0:0:0::/48"],
  ["", ""],
  ["unknown", ""],
])("the coarse network of %j is %j", (address, network) => {
  expect(coarseNetwork(address)).toBe(network);
});

test("an IPv6 address has eight groups, however it is spelt", () => {
  const groups = ["2001", "db8", "0", "0", "0", "0", "0", "1"];
  for (const spelling of ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:0db8:0000::0001"]) expect(ipv6Groups(spelling)).toEqual(groups);
  expect(ipv6Groups("203.0.113.7")).toBeNull();
});
