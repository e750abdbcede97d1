// IPv4 addresses and blocks as numbers, for what is cut out of a network and what must lie apart in it.

/** A block of addresses: its first one, and how many bits of it are fixed. */
export interface Ipv4Block {
  readonly first: number;
  readonly prefix: number;
}

/** Reads `10.0.0.0/16`; bits after the prefix are dropped. An address alone is a block of one. */
export function parseIpv4Block(text: string): Ipv4Block {
  const [dotted = "", prefix = "32"] = text.split("/");
  const address = dotted.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(prefix));
  return { first: Math.floor(address / size) * size, prefix: Number(prefix) };
}

/** How many addresses a block has. */
export const ipv4Addresses = ({ prefix }: Ipv4Block): number => 2 ** (32 - prefix);

/** An address as people write it. */
export const formatIpv4 = (address: number): string =>
  [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");
