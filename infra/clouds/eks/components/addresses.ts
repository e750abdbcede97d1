// How a VPC's block of addresses is cut into subnets: by index alone, so that a zone more moves none of the others.
import { formatIpv4, ipv4Addresses, parseIpv4Block } from "../../ipv4.ts";

/** The `index`-th block of 2^`bits` equal ones. */
function subnet(cidr: string, bits: number, index: number): string {
  const block = parseIpv4Block(cidr);
  const first = block.first + (ipv4Addresses(block) / 2 ** bits) * index;
  return `${formatIpv4(first)}/${block.prefix + bits}`;
}

/** Private subnets are the first eighths of the block. */
export const privateSubnet = (cidr: string, zoneIndex: number): string => subnet(cidr, 3, zoneIndex);

/** Public subnets, which hold nothing but NAT gateways, are the first of the last eighth's 32 parts. */
export const publicSubnet = (cidr: string, zoneIndex: number): string => subnet(cidr, 8, 7 * 32 + zoneIndex);
