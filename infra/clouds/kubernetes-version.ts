// The least Kubernetes that a cluster of any cloud may have. A cluster that is older would be made, and then refuse the
// operator's chart.
import { z } from "zod";
import type { ConfigurationProblem } from "../config/problem.ts";

/** As `kubeVersion` in the operator's Chart.yaml: a test compares the two. */
export const leastMinor = 35;

/** What a person may write where a cloud takes a minor version or a whole one. */
export const quoted = { error: `must be a version in quotes, such as "1.${leastMinor}"` };

/** A version such as `1.35` or `1.35.2`: the clouds take a minor version for its newest patch. */
export const kubernetesVersion = z.string(quoted).regex(/^1\.\d+(\.\d+)?$/, quoted);

/** The minor version of `1.35`, `1.35.2` or `1.35.2-gke.1`. */
export const minorOf = (version: string): number => Number(version.split(".")[1]);

/** That a control plane is too old for the operator. */
export function tooOld(path: string, version: string | undefined): readonly ConfigurationProblem[] {
  if (version === undefined || minorOf(version) >= leastMinor) return [];
  return [
    { path, message: `the operator needs Kubernetes 1.${leastMinor}: write "1.${leastMinor}" or later` },
  ];
}

/** The numbers of a version, in their order. */
const numbersOf = (version: string): readonly number[] => (version.match(/\d+/g) ?? []).map(Number);

/** Less than 0 where `one` is older than `other`; what only one of the two says does not count. */
export function compareVersions(one: string, other: string): number {
  const [ones, others] = [numbersOf(one), numbersOf(other)];
  const shared = Math.min(ones.length, others.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (ones[index] ?? 0) - (others[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Minor versions among `sold` that the operator runs on, as a person writes them: `"1.35", "1.36"`. */
export function minorsToWrite(sold: readonly string[]): string {
  const minors = new Set(sold.map(minorOf).filter((minor) => minor >= leastMinor));
  return [...minors]
    .toSorted((one, other) => one - other)
    .map((minor) => `"1.${minor}"`)
    .join(", ");
}
