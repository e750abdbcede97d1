// IPv4 ranges of a cluster's network: which overlap, and which lie in another.
import type { ConfigurationProblem } from "../../../config/problem.ts";
import { apartProblems, formatIpv4, isWithin, parseIpv4Block } from "../../ipv4.ts";
import type { AksCluster } from "./cluster.ts";

/**
 * Nodes in the virtual network, pods and Services out of it and of each other.
 * Source: learn.microsoft.com/azure/aks/azure-cni-overlay, IP address planning.
 */
export function networkProblems({ network }: AksCluster): readonly ConfigurationProblem[] {
  const { addresses, nodes, pods, services } = network;
  const problems: ConfigurationProblem[] = [];
  if (!isWithin(parseIpv4Block(nodes), parseIpv4Block(addresses))) {
    problems.push({
      path: "cluster.network.nodes",
      message: `${nodes} is not in the virtual network: write a part of ${addresses}`,
    });
  }
  return [...problems, ...apartProblems("cluster.network", { addresses, pods, services })];
}

/** The address of the cluster's DNS, the tenth of the Services' range, as AKS's own default is. */
export function dnsServiceAddress(services: string): string {
  return formatIpv4(parseIpv4Block(services).first + 10);
}
