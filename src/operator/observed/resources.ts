// CPU, memory and disk: what a node offers its pods, and what a pod requests of its node, as kube-scheduler counts it.
import { quantityValue } from "@llama-operator/llama/planning";

export interface NodeResources {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
}

export const resourceNames = ["cpuMillicores", "memoryBytes", "ephemeralStorageBytes"] as const;

export const noResources: NodeResources = Object.freeze({
  cpuMillicores: 0,
  memoryBytes: 0,
  ephemeralStorageBytes: 0,
});

/** Quantities by resource name, as the API server has them. */
type Quantities = Readonly<Record<string, unknown>>;

interface RawContainer {
  readonly resources?: { readonly requests?: Quantities };
  /** `Always` makes an init container a sidecar. */
  readonly restartPolicy?: string;
}

/** The part of a pod's spec that says what it requests. */
export interface RequestingSpec {
  readonly containers?: readonly RawContainer[];
  readonly initContainers?: readonly RawContainer[];
  readonly overhead?: Quantities;
}

/** By the names that the API server has for them. */
function resourcesOf(quantityOf: (name: string) => unknown, absent: number): NodeResources {
  const value = (name: string): number => {
    const quantity = quantityOf(name);
    if (typeof quantity === "number") return quantity;
    return typeof quantity === "string" ? (quantityValue(quantity) ?? 0) : absent;
  };
  return {
    cpuMillicores: Math.ceil(value("cpu") * 1000),
    memoryBytes: value("memory"),
    ephemeralStorageBytes: value("ephemeral-storage"),
  };
}

/** What a node has for its pods; a resource that it does not state is not limited. */
export function allocatableOf(quantities: Quantities | undefined): NodeResources {
  return resourcesOf((name) => quantities?.[name], Number.POSITIVE_INFINITY);
}

/**
 * What a pod requests: its containers and sidecars together, or one init container beside the sidecars that were started
 * before it, whichever is more; then the overhead of its runtime (kubernetes, component-helpers/resource, PodRequests).
 */
export function requestsOf(spec: RequestingSpec | undefined): NodeResources {
  const requested = (quantities: Quantities | undefined): NodeResources =>
    resourcesOf((name) => quantities?.[name], 0);
  let sidecars = noResources;
  let most = noResources;
  for (const { resources, restartPolicy } of spec?.initContainers ?? []) {
    const its = sum(sidecars, requested(resources?.requests));
    if (restartPolicy === "Always") sidecars = its;
    most = combined(most, its, Math.max);
  }
  const running = (spec?.containers ?? []).reduce(
    (all, { resources }) => sum(all, requested(resources?.requests)),
    sidecars,
  );
  const all = sum(combined(most, running, Math.max), requested(spec?.overhead));
  return resourceNames.every((name) => all[name] === 0) ? noResources : all;
}

export function sum(a: NodeResources, b: NodeResources): NodeResources {
  return combined(a, b, (x, y) => x + y);
}

export function difference(a: NodeResources, b: NodeResources): NodeResources {
  return combined(a, b, (x, y) => x - y);
}

export function isSameResources(a: NodeResources, b: NodeResources): boolean {
  return a === b || resourceNames.every((name) => a[name] === b[name]);
}

function combined(a: NodeResources, b: NodeResources, by: (a: number, b: number) => number): NodeResources {
  return {
    cpuMillicores: by(a.cpuMillicores, b.cpuMillicores),
    memoryBytes: by(a.memoryBytes, b.memoryBytes),
    ephemeralStorageBytes: by(a.ephemeralStorageBytes, b.ephemeralStorageBytes),
  };
}
