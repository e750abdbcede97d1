// What is known of one machine type of one cloud before there is a node of it; the tables beside this file hold them.
import type { FabricType } from "../fabrics.ts";
import type { Allocatable } from "../node-reservations.ts";

export type Cloud = "gke" | "eks" | "aks" | "oci";

/** A taint as a Node's spec writes it. */
export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: "NoSchedule" | "NoExecute" | "PreferNoSchedule";
}

/** One machine type of one cloud. */
export interface MachineShape {
  /** The cloud's own name: `a3-highgpu-8g`. */
  readonly name: string;
  readonly cloud: Cloud;
  /** GPU in the catalog: see gpus.ts. */
  readonly gpu: string;
  readonly gpusPerNode: number;
  /** GPUs that tensor parallel may span: those joined by NVLink or Infinity Fabric, or all where all are on PCIe alone. */
  readonly nvlinkDomain: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  /** NVMe disks of the machine, whether or not pods see them. */
  readonly localStorageBytes: number;
  /** What pods can request of one node, after the cloud's reservation. */
  readonly allocatable: Allocatable;
  /**
   * "documented": a published figure; "derived": from the cloud's reservation formula; "assumed": from another cloud's,
   * because its own was not found.
   */
  readonly allocatableSource: "documented" | "derived" | "assumed";
  /** Labels that the cloud puts on such a node; a pool's own label is added by what makes the pool. */
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** Taints that such a node carries, by the cloud or by its documentation's custom. */
  readonly nodeTaints: readonly NodeTaint[];
  /** The fabric that the machine has; a pool says in its own spec whether it is set up. */
  readonly fabric: {
    readonly type: FabricType;
    /** Extended resources of a pod that takes all GPUs of the node. */
    readonly resources: Readonly<Record<string, string>>;
  };
}

/** Labels of every Linux node of a cloud's machine. */
export const linuxLabels = { "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux" } as const;

export const gibibyte = 2 ** 30;
