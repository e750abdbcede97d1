// IPv4 ranges of a cluster's network: which overlap, and which lie in another. AKS says so only after some minutes.
import type { ConfigurationProblem } from "../../problem.ts";
import type { AksCluster } from "./cluster.ts";

interface Range {
  readonly first: number;
  /** One past the last address. */
  readonly end: number;
}

function rangeOf(text: string): Range {
  const [address = "", bits = "32"] = text.split("/");
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(value / size) * size;
  return { first, end: first + size };
}

const overlap = (one: Range, other: Range): boolean => one.first < other.end && other.first < one.end;

const within = (inner: Range, outer: Range): boolean => outer.first <= inner.first && inner.end <= outer.end;

/**
 * Nodes in the virtual network, pods and Services out of it and of each other.
 * Source: learn.microsoft.com/azure/aks/azure-cni-overlay, IP address planning.
 */
export function networkProblems({ network }: AksCluster): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  if (!within(rangeOf(network.nodes), rangeOf(network.addresses))) {
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
    if (!overlap(rangeOf(network[name]), rangeOf(network[other]))) continue;
    problems.push({
      path: `cluster.network.${name}`,
      message: `${network[name]} overlaps ${other} ${network[other]}: write a range apart from it`,
    });
  }
  return problems;
}

/** The address of the cluster's DNS, the tenth of the Services' range, as AKS's own default is. */
export function dnsServiceAddress(services: string): string {
  const address = rangeOf(services).first + 10;
  return [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");
}
