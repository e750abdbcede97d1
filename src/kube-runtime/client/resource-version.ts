// Order of resourceVersions. Since Kubernetes 1.35 they are decimal integers that only grow within one resource
// (KEP-5504), which is what read-your-own-writes and the detection of a restored etcd rest on; an older server is
// refused at the start (process/server-version.ts).

/** Negative if `left` is older, 0 if equal, positive if newer. Exact for any length. */
export function compareResourceVersions(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The newer of the two; an absent one is older than any. */
export function newerResourceVersion(left: string | undefined, right: string): string {
  return left !== undefined && compareResourceVersions(left, right) > 0 ? left : right;
}
