// The free GPUs of each pool's nodes, counted again only after a node or the use of one has changed: with a thousand
// nodes, a pass over each of a thousand LlamaDeployments would otherwise look up a million.
import type { GpuPoolSpec } from "@llama-operator/llama/api";
import type { Store } from "@llama-operator/kube-runtime/cache";
import { poolRoom, type DeviceUse, type NodeRoom } from "./capacity.ts";
import type { Node } from "../observed/node.ts";

interface Count {
  readonly nodesVersion: number;
  readonly useVersion: number;
  readonly rooms: readonly NodeRoom[];
}

export class PoolRooms {
  readonly #nodes: Pick<Store<Node>, "list">;
  readonly #use: DeviceUse;
  /** By the spec itself: a changed pool has another one. */
  readonly #counts = new WeakMap<GpuPoolSpec, Count>();
  #nodesVersion = 0;

  constructor(nodes: Pick<Store<Node>, "list">, use: DeviceUse) {
    this.#nodes = nodes;
    this.#use = use;
  }

  /** Some node came, went or changed. */
  nodesChanged(): void {
    this.#nodesVersion += 1;
  }

  /** The pool's usable nodes with their free GPUs. */
  of(pool: GpuPoolSpec): readonly NodeRoom[] {
    const useVersion = this.#use.version;
    const known = this.#counts.get(pool);
    if (known?.nodesVersion === this.#nodesVersion && known.useVersion === useVersion) return known.rooms;
    const rooms = poolRoom(pool, this.#nodes.list(), this.#use);
    this.#counts.set(pool, { nodesVersion: this.#nodesVersion, useVersion, rooms });
    return rooms;
  }
}
