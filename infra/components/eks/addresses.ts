// How a VPC's block of addresses is cut into subnets: by index alone, so that a zone more moves none of the others.

interface Block {
  readonly address: number;
  readonly prefix: number;
}

function parse(cidr: string): Block {
  const [dotted = "", prefix = ""] = cidr.split("/");
  const address = dotted.split(".").reduce((value, part) => value * 256 + Number(part), 0);
  return { address, prefix: Number(prefix) };
}

function format({ address, prefix }: Block): string {
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
  return `${parts.join(".")}/${prefix}`;
}

/** The `index`-th block of 2^`bits` equal ones. */
function subnet(cidr: string, bits: number, index: number): string {
  const { address, prefix } = parse(cidr);
  const size = 2 ** (32 - prefix);
  const base = Math.floor(address / size) * size;
  return format({ address: base + (size / 2 ** bits) * index, prefix: prefix + bits });
}

/** Private subnets are the first eighths of the block. */
export const privateSubnet = (cidr: string, zoneIndex: number): string => subnet(cidr, 3, zoneIndex);

/** Public subnets, which hold nothing but NAT gateways, are the first of the last eighth's 32 parts. */
export const publicSubnet = (cidr: string, zoneIndex: number): string => subnet(cidr, 8, 7 * 32 + zoneIndex);
