// Which further networks the nodes of GPU pools are in: those that the stack makes for a fabric, or those that a pool
// names.
import type { NodeNetwork } from "./components/gpu-node-pool-args.ts";
import { furtherNetworksOf } from "./config/machines.ts";
import type { GkePool } from "./config/pool.ts";

/** Whether some pool has interfaces in several networks. */
export const hasFabric = (pools: readonly GkePool[]): boolean =>
  pools.some((pool) => pool.fabric?.kind === "multiNetwork");

/** Networks that the stack makes: as many as the machine with the most interfaces has. */
export function fabricCount(pools: readonly GkePool[]): number {
  return Math.max(0, ...pools.map((pool) => (isOwnFabric(pool) ? interfacesOf(pool) : 0)));
}

export const interfacesOf = ({ machineShape }: GkePool): number => furtherNetworksOf(machineShape) ?? 0;

/** Whether a pool is in networks that the stack makes. */
const isOwnFabric = ({ fabric }: GkePool): boolean =>
  fabric?.kind === "multiNetwork" && fabric.networks === undefined;

export function networksOf(pool: GkePool, made: readonly NodeNetwork[]): readonly NodeNetwork[] {
  if (pool.fabric?.kind !== "multiNetwork") return [];
  return (
    pool.fabric.networks ??
    made.slice(0, interfacesOf(pool)).map(({ network, subnetwork }) => ({ network, subnetwork }))
  );
}
