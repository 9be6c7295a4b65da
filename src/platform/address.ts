/** The groups of an IPv6 address, eight numbers in hex without leading zeros; null for anything else. */
export function ipv6Groups(address: string): string[] | null {
  if (!address.includes(":")) return null;
  const [head = "", tail] = address.toLowerCase().split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill("0"), ...right].map((group) => group.replace(/^0+(?=.)/, ""));
}

/** The IPv4 address in an IPv6 one that maps it, else the address as it is. */
export function unmappedAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address.toLowerCase();
}

/** The network of an address, coarse enough to name a place or provider and not a household: /24 of IPv4, /48 of IPv6; '' for none. */
export function coarseNetwork(address: string): string {
  const plain = unmappedAddress(address);
  const ipv4 = /^(\d+\.\d+\.\d+)\.\d+$/.exec(plain)?.[1];
  if (ipv4) return `${ipv4}.0/24`;
  const groups = ipv6Groups(plain);
  return groups ? `${groups.slice(0, 3).join(":")}::/48` : "";
}

/** What limits count an address as: an IPv6 network of 64 bits, which one household has to itself, else the address. */
export function addressNetwork(address: string): string {
  const groups = ipv6Groups(unmappedAddress(address));
  return groups ? `${groups.slice(0, 4).join(":")}::/64` : unmappedAddress(address);
}
