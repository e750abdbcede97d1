// Kubernetes quantities (resource.Quantity), as far as telling whether two spellings mean the same: "1000m" and
// "1", "1Gi" and "1024Mi". Planning, which needs numbers, has a parser of its own: this part may not know it.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

const form = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([+-]?\d+))?$/;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/** Whether both are quantities of the same value; exact, also where a number would round. */
export function sameQuantity(left: unknown, right: unknown): boolean {
  const leftNano = nano(left);
  return leftNano !== undefined && leftNano === nano(right);
}

/** The value in billionths, the resolution of a quantity; undefined for what is not one. */
function nano(value: unknown): bigint | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const parts = form.exec(String(value));
  if (parts === null) return undefined;
  const [, sign = "", digits = "", suffix = "", exponent = "0"] = parts;
  const [whole = "", fraction = ""] = digits.split(".");
  const decimals = (decimalExponents[suffix] ?? Number(exponent)) + 9 - fraction.length;
  if (Math.abs(decimals) > 400) return undefined;
  let scaled = BigInt(`${whole}${fraction}`) << BigInt(binaryExponents[suffix] ?? 0);
  // Finer than a billionth is rounded up, as the API server does.
  scaled = decimals >= 0 ? scaled * 10n ** BigInt(decimals) : ceilDivide(scaled, 10n ** BigInt(-decimals));
  return sign === "-" ? -scaled : scaled;
}

const ceilDivide = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;
