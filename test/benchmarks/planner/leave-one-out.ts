// How well rows that a constant was not set by are met: each row with its group's constant moved to where the other rows of
// the group have it. A group is a regime and how its ranks are joined: what has one constant of its own.
import type { Judged } from "./judge.ts";

/** The error of each row by the constants that the other rows of its group give; `null` where there is no other. */
export function leaveOneOut(rows: readonly Judged[]): readonly (number | null)[] {
  return rows.map((row) => {
    const others = rows.flatMap(({ group, errorGibPerGpu }, index) =>
      group === row.group && rows[index] !== row && errorGibPerGpu !== null ? [errorGibPerGpu] : [],
    );
    if (row.error === null || row.errorGibPerGpu === null || row.actualTokens === null) return null;
    if (others.length === 0) return null;
    const moved = others.reduce((sum, error) => sum + error, 0) / others.length;
    return row.error - (moved * 2 ** 30) / row.bytesPerToken / row.actualTokens;
  });
}
