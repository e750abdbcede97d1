// IPv4 ranges of a cluster's network: which overlap, which lie in another, and which have no room for the stack's nodes.
import type { ConfigurationProblem } from "../../../config/problem.ts";
import { apartProblems, formatIpv4, isWithin, parseIpv4Block } from "../../ipv4.ts";
import { roomProblems } from "../../node-room.ts";
import type { AksCluster } from "./cluster.ts";
import type { AksPool } from "./pool.ts";

/** Azure keeps five addresses of a subnet, and an overlay gives a /24 to each node. Source: as networkProblems. */
const reservedAddresses = 5;
const podAddressesPerNode = 256;

/** The system pool is upgraded with a spare node; GPU pools are not. */
const spareSystemNodes = 1;

/**
 * Nodes in the virtual network, pods and Services out of it and of each other.
 * Source: learn.microsoft.com/azure/aks/azure-cni-overlay, IP address planning.
 */
export function networkProblems(
  { network, systemPool }: AksCluster,
  pools: readonly (AksPool | undefined)[],
): readonly ConfigurationProblem[] {
  const { addresses, nodes, pods, services } = network;
  const problems: ConfigurationProblem[] = [];
  if (!isWithin(parseIpv4Block(nodes), parseIpv4Block(addresses))) {
    problems.push({
      path: "cluster.network.nodes",
      message: `${nodes} is not in the virtual network: write a part of ${addresses}`,
    });
  }
  const most = pools.reduce(
    (sum, pool) => sum + (pool?.nodes.max ?? 0),
    systemPool.nodes.max + spareSystemNodes,
  );
  const path = "cluster.network";
  return [
    ...problems,
    ...apartProblems(path, { addresses, pods, services }),
    ...roomProblems({ path: `${path}.nodes`, range: nodes, perNode: 1, reserved: reservedAddresses }, most),
    ...roomProblems({ path: `${path}.pods`, range: pods, perNode: podAddressesPerNode, reserved: 0 }, most),
  ];
}

/** The address of the cluster's DNS, the tenth of the Services' range, as AKS's own default is. */
export function dnsServiceAddress(services: string): string {
  return formatIpv4(parseIpv4Block(services).first + 10);
}
