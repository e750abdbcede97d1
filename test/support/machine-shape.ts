// A machine shape that the catalog is known to have.

import { findMachineShape, type MachineShape } from "../../src/llama/catalog/machine-shapes.ts";

export function machineShape(name: string): MachineShape {
  const shape = findMachineShape(name);
  if (shape === undefined) {
    throw new Error(`the catalog has no machine shape ${name}`);
  }
  return shape;
}
