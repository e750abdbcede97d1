// IPv4 ranges of a cluster's network: which overlap, and which lie in another. AKS says so only after some minutes.
import type { ConfigurationProblem } from "../../../config/problem.ts";
import { formatIpv4, ipv4Addresses, parseIpv4Block } from "../../ipv4.ts";
import type { Ipv4Block } from "../../ipv4.ts";
import type { AksCluster } from "./cluster.ts";

/** One past the last address. */
const endOf = (block: Ipv4Block): number => block.first + ipv4Addresses(block);

const overlap = (one: Ipv4Block, other: Ipv4Block): boolean =>
  one.first < endOf(other) && other.first < endOf(one);

const within = (inner: Ipv4Block, outer: Ipv4Block): boolean =>
  outer.first <= inner.first && endOf(inner) <= endOf(outer);

/**
 * Nodes in the virtual network, pods and Services out of it and of each other.
 * Source: learn.microsoft.com/azure/aks/azure-cni-overlay, IP address planning.
 */
export function networkProblems({ network }: AksCluster): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  if (!within(parseIpv4Block(network.nodes), parseIpv4Block(network.addresses))) {
    problems.push({
      path: "cluster.network.nodes",
      message: `${network.nodes} is not in the virtual network: write a part of ${network.addresses}`,
    });
  }
  const apart = [
    ["pods", "addresses"],
    ["services", "addresses"],
    ["services", "pods"],
  ] as const;
  for (const [name, other] of apart) {
    if (!overlap(parseIpv4Block(network[name]), parseIpv4Block(network[other]))) continue;
    problems.push({
      path: `cluster.network.${name}`,
      message: `${network[name]} overlaps ${other} ${network[other]}: write a range apart from it`,
    });
  }
  return problems;
}

/** The address of the cluster's DNS, the tenth of the Services' range, as AKS's own default is. */
export function dnsServiceAddress(services: string): string {
  return formatIpv4(parseIpv4Block(services).first + 10);
}
