// Versions of GKE, such as `1.34.1-gke.1829001`: minor versions are branches, and a floor may differ from one to the next.

export const gkeVersionPattern = /^1\.\d+\.\d+-gke\.\d+$/;

type Parts = readonly [minor: number, patch: number, build: number];

function partsOf(version: string): Parts {
  const [minor = 0, patch = 0, build = 0] = (/^1\.(\d+)\.(\d+)-gke\.(\d+)$/.exec(version) ?? [])
    .slice(1)
    .map(Number);
  return [minor, patch, build];
}

/** Whether a version is at least another one. */
export function isAtLeast(version: string, floor: string): boolean {
  const [one, other] = [partsOf(version), partsOf(floor)];
  const differing = one.findIndex((part, index) => part !== other[index]);
  return differing === -1 || (one[differing] ?? 0) > (other[differing] ?? 0);
}

/**
 * Whether a version is at least the floor of its own minor version, where that has one. `floors` are those of several
 * minor versions; an older minor version than all of them is too old, a later one is not.
 * @returns the floor that it misses, or undefined
 */
export function missedFloor(version: string, floors: readonly string[]): string | undefined {
  const [minor] = partsOf(version);
  const own = floors.find((floor) => partsOf(floor)[0] === minor);
  if (own !== undefined) return isAtLeast(version, own) ? undefined : own;
  const [first] = floors;
  return first === undefined || isAtLeast(version, first) ? undefined : first;
}
