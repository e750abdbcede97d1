// The benchmark as a table for people, which docs/memory-model.md holds word for word. "without" is the error of a row by
// the constants that the other rows of its group give.
import { leaveOneOut } from "./leave-one-out.ts";
import { promisesTooMuch, type Judged } from "./judge.ts";

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

const percent = (fraction: number): string => `${(fraction * 100).toFixed(2)} %`;
const signed = (value: number, digits: number): string => `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;

/** Errors of the rows whose engine stated its tokens. */
export const absoluteErrors = (rows: readonly Judged[]): readonly number[] =>
  rows.flatMap(({ error }) => (error === null ? [] : [Math.abs(error)]));

function lineOf(row: Judged, withoutIt: number | null): string {
  const {
    id,
    predictedTokens,
    atLeastTokens,
    actualTokens,
    error,
    errorGibPerGpu,
    promised,
    refused,
    regime,
  } = row;
  const verdict = `${promised ? "fits" : "refused"}${refused ? ", and the engine refused" : ""}`;
  return [
    id.padEnd(44),
    String(predictedTokens).padStart(9),
    String(atLeastTokens).padStart(9),
    String(actualTokens ?? "-").padStart(9),
    (error === null ? "-" : `${signed(error * 100, 2)} %`).padStart(10),
    (withoutIt === null ? "-" : `${signed(withoutIt * 100, 2)} %`).padStart(10),
    (errorGibPerGpu === null ? "-" : `${signed(errorGibPerGpu, 2)} GiB`).padStart(11),
    `  ${regime}; ${verdict}`,
  ].join("");
}

/** Every row, every regime, and what was promised wrongly. */
export function tableOf(rows: readonly Judged[]): string {
  const regimes = [...new Set(rows.map(({ regime }) => regime))];
  const errors = absoluteErrors(rows);
  const broken = rows.filter(({ promised, refused }) => promised && refused);
  const tooMuch = rows.filter(promisesTooMuch);
  const withoutThem = leaveOneOut(rows);
  return [
    `${"row".padEnd(44)}${"planned".padStart(9)}${"at least".padStart(9)}${"logged".padStart(9)}${"error".padStart(10)}${"without".padStart(10)}${"per GPU".padStart(11)}  regime`,
    ...rows.map((row, index) => lineOf(row, withoutThem[index] ?? null)),
    "",
    "By regime",
    ...regimes.map((regime) => {
      const of = rows.filter((row) => row.regime === regime);
      const each = absoluteErrors(of);
      const left = rows.flatMap((row, index) => {
        const error = row.regime === regime ? (withoutThem[index] ?? null) : null;
        return error === null ? [] : [Math.abs(error)];
      });
      const without =
        left.length === 0 ? "no other row to leave one out" : `without it ${percent(mean(left))}`;
      return `  ${regime}: ${of.length} rows, mean ${percent(mean(each))}, worst ${percent(Math.max(0, ...each))}; ${without}`;
    }),
    "",
    `${rows.length} rows: mean ${percent(mean(errors))}, worst ${percent(Math.max(0, ...errors))}; ${broken.length} promised fits were refused; ${tooMuch.length} had less than "at least"`,
    ...[...broken, ...tooMuch].map(({ id }) => `  ${id}`),
    "",
  ].join("\n");
}
