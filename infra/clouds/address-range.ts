// An IPv4 range that a cloud makes something of. Clouds take it only as the network's own address and a prefix.
import { z } from "zod";
import { formatIpv4, parseIpv4Block } from "./ipv4.ts";

/** `10.0.0.0/20`. Of `10.0.0.5/20` the range is written that it lies in. */
export const addressRange = z
  .cidrv4({ error: "must be a range such as 10.240.0.0/16", abort: true })
  .refine((range) => networkOf(range) === range, {
    error: ({ input }) =>
      `${String(input)} begins within a range: write ${networkOf(String(input))}, or another prefix`,
  });

function networkOf(range: string): string {
  const { first, prefix } = parseIpv4Block(range);
  return `${formatIpv4(first)}/${prefix}`;
}
