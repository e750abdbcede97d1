// Kubernetes quantities as numbers: a pool may state its nodes' allocatable in its own words, such as `1800Gi`. The
// runtime has a parser of its own (kube-runtime/apply/quantity.ts), which tells exactly whether two spellings mean the
// same and knows no Llama; the two are held to each other by a test of the writer, operator/workloads/pod/quantity.ts.

const multipliers: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The value of a quantity: `500m` is 0.5, `1.9Ti` is 1.9 x 2^40, `27e12` is itself. `undefined` where it is none. */
export function quantityValue(quantity: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(?:(m|k|[MGTPE]i?|Ki)|[eE]([+-]?\d+))?$/.exec(quantity);
  if (match === null) return undefined;
  const [, digits, suffix = "", exponent = "0"] = match;
  return Number(digits) * (multipliers[suffix] ?? 1) * 10 ** Number(exponent);
}
