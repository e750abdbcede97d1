// What the smallest node of a group offers, where that is less than the catalog says of its machine: daemons with
// static CPUs, a smaller disk, or a machine that the catalog lacks.
import type { GpuPoolSpec } from "../../api/gpu-pool.ts";
import type { Allocatable } from "../../catalog/machine-shapes.ts";

interface WithAllocatable {
  readonly allocatable: Readonly<Record<string, string>>;
}

const suffixes: Readonly<Record<string, number>> = {
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

/** The value of a Kubernetes quantity (`191450m`, `1900Gi`, `1e3`); NaN for anything else. */
export function quantityValue(quantity: string): number {
  const match = /^(?<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?<suffix>[a-zA-Z]*)$/.exec(quantity);
  const factor = suffixes[match?.groups?.["suffix"] ?? ""];
  return factor === undefined ? Number.NaN : Number(match?.groups?.["number"]) * factor;
}

/**
 * The least of each resource over `nodes`, in the words of the node that has it; only what falls short of
 * `expected`, and undefined where nothing does.
 */
export function smallestAllocatable(
  nodes: readonly WithAllocatable[],
  expected: Allocatable | undefined,
): GpuPoolSpec["allocatable"] {
  const least = (resource: string, expectedValue: number | undefined): string | undefined => {
    const smallest = nodes
      .flatMap(({ allocatable }) => allocatable[resource] ?? [])
      .toSorted((a, b) => quantityValue(a) - quantityValue(b))
      .at(0);
    if (smallest === undefined) return undefined;
    return expectedValue !== undefined && quantityValue(smallest) >= expectedValue ? undefined : smallest;
  };
  const cpu = least("cpu", expected === undefined ? undefined : expected.cpuMillicores / 1000);
  const memory = least("memory", expected?.memoryBytes);
  const ephemeralStorage = least("ephemeral-storage", expected?.ephemeralStorageBytes);
  const found = {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(ephemeralStorage === undefined ? {} : { ephemeralStorage }),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}
