// Versions of engines: three numbers, compared one by one.

/** `[major, minor, patch]`. */
export type EngineVersion = readonly [number, number, number];

/** Parses `0.32.0`; `undefined` where it is no such version. */
export function parseEngineVersion(version: string): EngineVersion | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(version);
  if (match === null) return undefined;
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Below zero where `one` is older than `other`, zero where they are the same. */
export function compareVersions(one: EngineVersion, other: EngineVersion): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}
