// What the smallest node of a group offers, where that is less than the catalog says of its machine: daemons with
// static CPUs, a smaller disk, or a machine that the catalog lacks.
import type { GpuPoolSpec } from "@llama-operator/llama/api";
import type { Allocatable } from "@llama-operator/llama/catalog";
import { quantityValue } from "@llama-operator/llama/planning";

interface WithAllocatable {
  readonly allocatable: Readonly<Record<string, string>>;
}

/** What cannot be read counts for nothing, so that it shows. */
const valueOf = (quantity: string): number => quantityValue(quantity) ?? 0;

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
      .toSorted((a, b) => valueOf(a) - valueOf(b))
      .at(0);
    if (smallest === undefined) return undefined;
    return expectedValue !== undefined && valueOf(smallest) >= expectedValue ? undefined : smallest;
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
