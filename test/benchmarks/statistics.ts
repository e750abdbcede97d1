// The few numbers that a series of measurements is told by.

/** The middle value, or the mean of the two middle ones. @throws RangeError for an empty series */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = at(sorted, middle);
  return sorted.length % 2 === 1 ? upper : (at(sorted, middle - 1) + upper) / 2;
}

/** The smallest value that `percent` of all values do not exceed (nearest rank). @throws RangeError for an empty series */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return at(sorted, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1));
}

/** @throws RangeError for an empty series */
export function largest(values: readonly number[]): number {
  return percentile(values, 100);
}

function at(sorted: readonly number[], index: number): number {
  const value = sorted[index];
  if (value === undefined) throw new RangeError("no values");
  return value;
}
