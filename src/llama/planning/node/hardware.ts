// A GpuPool as planning sees it: its GPU and machine shape looked up, what it states itself over the catalog's.
import type { Allocatable, MachineShape } from "../../catalog/machine-shapes.ts";
import { findGpu, gpus } from "../../catalog/gpus.ts";
import type { Gpu } from "../../catalog/gpus.ts";
import { findMachineShape } from "../../catalog/machine-shapes.ts";
import type { PoolFacts } from "../plan.ts";
import { quantityValue } from "../quantity.ts";

/** What one node of a pool offers. */
export interface Hardware {
  readonly pool: PoolFacts;
  readonly gpu: Gpu;
  readonly gpusPerNode: number;
  /** GPUs of a node that tensor parallelism may span. */
  readonly nvlinkDomain: number;
  /** What pods can request of a node; absent parts are known neither from the pool nor from a machine shape. */
  readonly allocatable: Partial<Allocatable>;
  /** For messages: `a3-highgpu-8g`, or the GPU where the shape is not known. */
  readonly machine: string;
}

/** A pool that cannot be planned for, and why. */
export interface UnusablePool {
  readonly pool: PoolFacts;
  readonly problem: string;
}

function nvlinkDomainOf(pool: PoolFacts, gpu: Gpu, shape: MachineShape | undefined): number {
  const { perNode } = pool.spec.gpu;
  if (shape !== undefined) return Math.min(shape.nvlinkDomain, perNode);
  // Without NVLink all GPUs of a node are equally far apart, so tensor parallelism may span them, over PCIe.
  return gpu.nvlink === "bridge" ? Math.min(2, perNode) : perNode;
}

function allocatableOf(pool: PoolFacts, shape: MachineShape | undefined): Partial<Allocatable> {
  const stated = pool.spec.allocatable;
  const value = (text: string | undefined) => (text === undefined ? undefined : quantityValue(text));
  const cpu = value(stated?.cpu);
  const memory = value(stated?.memory);
  const storage = value(stated?.ephemeralStorage);
  return {
    ...shape?.allocatable,
    ...(cpu === undefined ? {} : { cpuMillicores: Math.floor(cpu * 1000) }),
    ...(memory === undefined ? {} : { memoryBytes: Math.floor(memory) }),
    ...(storage === undefined ? {} : { ephemeralStorageBytes: Math.floor(storage) }),
  };
}

/** Looks the pool's GPU and machine up. */
export function hardwareOf(pool: PoolFacts): Hardware | UnusablePool {
  const { gpu: stated, machineShape } = pool.spec;
  const gpu = findGpu(stated.product);
  if (gpu === undefined) {
    const known = gpus.map(({ name }) => name).join(", ");
    return {
      pool,
      problem: `pool ${pool.name} has GPUs of product ${stated.product}, which the catalog lacks; it knows ${known}`,
    };
  }
  const shape = machineShape === undefined ? undefined : findMachineShape(machineShape);
  if (shape !== undefined && findGpu(shape.gpu) !== gpu) {
    return {
      pool,
      problem: `pool ${pool.name} says that its GPUs are ${stated.product}, but ${shape.name} has ${shape.gpu}`,
    };
  }
  return {
    pool,
    gpu,
    gpusPerNode: stated.perNode,
    nvlinkDomain: nvlinkDomainOf(pool, gpu, shape),
    allocatable: allocatableOf(pool, shape),
    machine: shape?.name ?? `node of ${stated.perNode} x ${gpu.label}`,
  };
}

export function isUsable(hardware: Hardware | UnusablePool): hardware is Hardware {
  return "gpu" in hardware;
}

/**
 * Whether `nodes` nodes with `gpusPerNode` GPUs each can be had: 2 now, 1 perhaps (nodes are not known, or an
 * autoscaler may add some), 0: only after a running workload ends. Orders pools; never makes a plan illegal.
 */
export function freeRoom({ pool }: Hardware, nodes: number, gpusPerNode: number): 0 | 1 | 2 {
  const { freeGpus } = pool;
  if (freeGpus === undefined) return 1;
  if (freeGpus.filter((free) => free >= gpusPerNode).length >= nodes) return 2;
  return (pool.spec.nodes?.max ?? 0) > freeGpus.length ? 1 : 0;
}
