// Nearest names for messages: what a user who mistyped a name may have meant.

/** Fewest insertions, deletions, substitutions and swaps of neighbours that turn `from` into `to`. */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) least = Math.min(least, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(least);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** The `count` names nearest to `name`, nearest first, in the order given where equally near. */
export function nearestNames(name: string, names: readonly string[], count = 3): readonly string[] {
  return names
    .map((candidate, index) => ({ candidate, index, distance: editDistance(name, candidate) }))
    .sort((one, other) => one.distance - other.distance || one.index - other.index)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}
