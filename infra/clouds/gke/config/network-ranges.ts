// Ranges of a GKE cluster's network: which overlap, and which have no room for the stack's nodes.
import type { ConfigurationProblem } from "../../../config/problem.ts";
import { apartProblems } from "../../ipv4.ts";
import { roomProblems } from "../../node-room.ts";
import type { GkeCluster } from "./cluster.ts";
import { furtherNetworksOf } from "./machines.ts";
import type { GkePool } from "./pool.ts";

/** Addresses of the n-th network between GPUs that the stack makes. */
export const fabricAddresses = (index: number): string => `192.168.${index * 16}.0/20`;

/**
 * GKE takes a /24 of the pods' range for each node, as it lets 110 pods run on one, and Compute Engine keeps four
 * addresses of a subnetwork. Source: docs.cloud.google.com/kubernetes-engine/docs/concepts/alias-ips, Defaults and limits.
 */
const podAddressesPerNode = 256;
const reservedAddresses = 4;

/** Nodes of the pool that a cluster is made with: one in each of its three zones, until it is taken away. */
const nodesAtFirst = 3;

export function rangeProblems(
  { network, systemPool }: GkeCluster,
  pools: readonly (GkePool | undefined)[],
): readonly ConfigurationProblem[] {
  const { nodes, pods, services } = network;
  const there = pools.filter((pool) => pool !== undefined);
  const most =
    Math.max(systemPool.nodes.max, nodesAtFirst) +
    there.reduce((sum, pool) => sum + pool.nodes.max + pool.upgrade.maxSurge, 0);
  const path = "cluster.network";
  return [
    ...apartProblems(path, { ...fabricRanges(there), nodes, pods, services }),
    ...roomProblems({ path: `${path}.nodes`, range: nodes, perNode: 1, reserved: reservedAddresses }, most),
    ...roomProblems({ path: `${path}.pods`, range: pods, perNode: podAddressesPerNode, reserved: 0 }, most),
  ];
}

/** A node has interfaces in these networks too, so that no other range may hold their addresses. */
function fabricRanges(pools: readonly GkePool[]): Readonly<Record<string, string>> {
  const counts = pools.map(({ fabric, machineShape }) =>
    fabric?.kind === "multiNetwork" && fabric.networks === undefined
      ? (furtherNetworksOf(machineShape) ?? 0)
      : 0,
  );
  return Object.fromEntries(
    Array.from({ length: Math.max(0, ...counts) }, (_, index) => [
      `the GPUs' network ${index}`,
      fabricAddresses(index),
    ]),
  );
}
