// Whether the cluster's version has what a pool wants of it.
import type { GkeCluster } from "./cluster.ts";
import { isAtLeast } from "./version.ts";

/** What is wrong in a pool: the field below the pool, and the message. */
export type Found = readonly [field: string, message: string];

/** A version that is unknown may be too old: it has to be written. */
export function versionProblems(
  field: string,
  what: string,
  least: string,
  cluster: GkeCluster | undefined,
): readonly Found[] {
  if (cluster === undefined) return [];
  const { version } = cluster;
  if (version !== undefined && isAtLeast(version, least)) return [];
  const found =
    version === undefined ? "which the channel may not have" : `and cluster.version is ${version}`;
  return [[field, `${what} needs GKE ${least} or later, ${found}: write cluster.version, at least that`]];
}
