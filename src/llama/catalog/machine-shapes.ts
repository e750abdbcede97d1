// The machines with GPUs that the clouds sell: what a pool of them offers before there is a node to look at.
// Planning, the simulated nodes of the local cluster and the infrastructure code all read this one table.
import { aksMachines } from "./machines/aks.ts";
import { eksMachines } from "./machines/eks.ts";
import { gkeMachines } from "./machines/gke.ts";
import type { MachineShape } from "./machines/machine-shape.ts";
import { ociMachines } from "./machines/oci.ts";

export type { Cloud, MachineShape } from "./machines/machine-shape.ts";
export type { Allocatable } from "./node-reservations.ts";

/** Every machine shape of the catalog. */
export const machineShapes: readonly MachineShape[] = [
  ...gkeMachines,
  ...eksMachines,
  ...aksMachines,
  ...ociMachines,
];

const shapesByName: ReadonlyMap<string, MachineShape> = new Map(
  machineShapes.map((shape) => [shape.name, shape]),
);

/** The machine shape of that name, or `undefined` where the catalog lacks it. */
export function findMachineShape(name: string): MachineShape | undefined {
  return shapesByName.get(name);
}
