// The nodes of one pool, as a table tells them: what the cloud puts on a node and what the pool asked for.

import type { NodeTaint } from "@llama-operator/llama/catalog";
import type { NodeMachine } from "../../../local/cluster/nodes.ts";

export interface NodeGroup {
  /** A shape of the catalog (`findMachineShape`), or the facts of a machine without GPUs. */
  readonly machine: NodeMachine;
  /** How many there are now. Where an autoscaler owns the size: its minimum, as no simulated one adds any. */
  readonly count: number;
  /** The nodes are spread over them in turn. */
  readonly zones: readonly string[];
  readonly region: string;
  /** Names as the cloud makes them; `index` counts from 0 within the pool. */
  nodeName(index: number): string;
  /** The cloud's own labels of such a node and the pool's. Hostname, zone, region, architecture are added. */
  readonly labels: Readonly<Record<string, string>>;
  /** The cloud's own taints of such a node and the pool's. */
  readonly taints: readonly NodeTaint[];
  /** What device plugins announce. Empty for machines without GPUs. */
  readonly devices: readonly Device[];
}

/** An extended resource of a node, allocatable while all that it needs runs there, and nothing that conflicts with it. */
export interface Device {
  /** `nvidia.com/gpu` */
  readonly resource: string;
  readonly count: number;
  /**
   * Images, by the last part of their repository (`k8s-device-plugin`), that a ready pod on the node must run. Empty
   * where the cloud brings driver and plugin itself.
   */
  readonly needs: readonly string[];
  /** Images that must not run there: a second driver. */
  readonly conflicts: readonly string[];
}
