// IPv4 addresses and blocks as numbers, for what is cut out of a network and what must lie apart in it. Clouds say that
// ranges overlap only after some minutes.
import type { ConfigurationProblem } from "../config/problem.ts";

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

/** One past the last address. */
const endOf = (block: Ipv4Block): number => block.first + ipv4Addresses(block);

/** Whether no address is in both. */
export const areApart = (one: Ipv4Block, other: Ipv4Block): boolean =>
  endOf(one) <= other.first || endOf(other) <= one.first;

export const isWithin = (inner: Ipv4Block, outer: Ipv4Block): boolean =>
  outer.first <= inner.first && endOf(inner) <= endOf(outer);

/** Ranges that must not overlap, by their names; of a pair the later one is told to move. */
export function apartProblems(
  path: string,
  ranges: Readonly<Record<string, string>>,
): readonly ConfigurationProblem[] {
  const named = Object.entries(ranges);
  return named.flatMap(([name, range], index) =>
    named.slice(0, index).flatMap(([other, before]) =>
      areApart(parseIpv4Block(range), parseIpv4Block(before))
        ? []
        : [
            {
              path: `${path}.${name}`,
              message: `${range} overlaps ${other} ${before}: write a range apart from it`,
            },
          ],
    ),
  );
}
