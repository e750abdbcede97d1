// Blocks of IPv4 addresses as the clouds' doubles compare them.

/** First and last address of `10.0.0.0/16`. */
function rangeOf(cidr: string): readonly [first: number, last: number] {
  const [address = "", prefix = "32"] = cidr.split("/");
  const from = address.split(".").reduce((value, octet) => value * 256 + Number(octet), 0);
  return [from, from + 2 ** (32 - Number(prefix)) - 1];
}

export function overlap(one: string, other: string): boolean {
  const [[from, to], [otherFrom, otherTo]] = [rangeOf(one), rangeOf(other)];
  return from <= otherTo && otherFrom <= to;
}

/** Whether every address of one is in the other. */
export function isInside(inner: string, outer: string): boolean {
  const [[from, to], [outerFrom, outerTo]] = [rangeOf(inner), rangeOf(outer)];
  return outerFrom <= from && to <= outerTo;
}
