// `npm run bench:planner -- FILE.csv`: how near the planner comes to what engines logged, row by row and regime by
// regime, and how many fits it promised that the engine refused. Plans from a row's names and settings alone.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseLogRows, type LogRow } from "./log-row.ts";
import { predict } from "./predict.ts";
import { planSpeeds, type PlanSpeed } from "./speed.ts";

const usage = `Holds the planner against start-up logs.

npm run bench:planner -- [FILE.csv] [--json]
  FILE.csv   rows in the form of test/benchmarks/planner/logs.csv, which are read when there is none
  --json     {rows, meanAbsError, worstAbsError, brokenPromises} instead of the table; errors are fractions
`;

/** A row, what was planned, and what came of it. */
interface Judged {
  readonly id: string;
  readonly regime: string;
  readonly predictedTokens: number;
  /** Absent where the engine stated none. */
  readonly actualTokens: number | null;
  /** (predicted - actual) / actual. */
  readonly error: number | null;
  readonly errorGibPerGpu: number | null;
  readonly promised: boolean;
  readonly refused: boolean;
}

/** Tokens as logged; where a log states only bytes, what they hold. */
function loggedTokens({ kv_tokens: tokens, kv_gib: gib }: LogRow, bytesPerToken: number): number | null {
  if (tokens !== undefined) return tokens;
  return gib === undefined ? null : Math.floor(Math.max(0, gib * 2 ** 30) / bytesPerToken);
}

function judge(row: LogRow): Judged {
  const { regime, tokens, bytesPerToken, promised } = predict(row);
  const actual = loggedTokens(row, bytesPerToken);
  const hasTokens = actual !== null && actual > 0;
  return {
    id: row.id,
    regime,
    predictedTokens: tokens,
    actualTokens: actual,
    error: hasTokens ? (tokens - actual) / actual : null,
    errorGibPerGpu: hasTokens ? ((tokens - actual) * bytesPerToken) / 2 ** 30 : null,
    promised,
    // What the engine had no room for: fewer tokens than one request, or none at all.
    refused: actual === null || actual < row.max_model_len,
  };
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

const percent = (fraction: number): string => `${(fraction * 100).toFixed(2)} %`;
const signed = (value: number, digits: number): string => `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;

const absoluteErrors = (rows: readonly Judged[]): readonly number[] =>
  rows.flatMap(({ error }) => (error === null ? [] : [Math.abs(error)]));

function lineOf(row: Judged): string {
  const { id, predictedTokens, actualTokens, error, errorGibPerGpu, promised, refused, regime } = row;
  const verdict = `${promised ? "fits" : "refused"}${refused ? ", and the engine refused" : ""}`;
  return [
    id.padEnd(44),
    String(predictedTokens).padStart(9),
    String(actualTokens ?? "-").padStart(9),
    (error === null ? "-" : `${signed(error * 100, 2)} %`).padStart(10),
    (errorGibPerGpu === null ? "-" : `${signed(errorGibPerGpu, 2)} GiB`).padStart(11),
    `  ${regime}; ${verdict}`,
  ].join("");
}

function tableOf(rows: readonly Judged[]): string {
  const regimes = [...new Set(rows.map(({ regime }) => regime))];
  const errors = absoluteErrors(rows);
  const broken = rows.filter(({ promised, refused }) => promised && refused);
  return [
    `${"row".padEnd(44)}${"planned".padStart(9)}${"logged".padStart(9)}${"error".padStart(10)}${"per GPU".padStart(11)}  regime`,
    ...rows.map(lineOf),
    "",
    "By regime",
    ...regimes.map((regime) => {
      const of = rows.filter((row) => row.regime === regime);
      const each = absoluteErrors(of);
      return `  ${regime}: ${of.length} rows, mean ${percent(mean(each))}, worst ${percent(Math.max(0, ...each))}`;
    }),
    "",
    `${rows.length} rows: mean ${percent(mean(errors))}, worst ${percent(Math.max(0, ...errors))}; ${broken.length} promised fits were refused`,
    ...broken.map(({ id }) => `  ${id}`),
    "",
  ].join("\n");
}

function speedView(speeds: readonly PlanSpeed[]): string {
  const round = (value: number): string => String(Math.round(value)).padStart(8);
  return [
    "Plans a second, one core: new, and with the plan in force\n",
    ...speeds.map(({ model, fresh, kept }) => `  ${model.padEnd(26)}${round(fresh)}${round(kept)}\n`),
  ].join("");
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
const [file = join(import.meta.dirname, "logs.csv"), ...others] = positionals;
if (values.help || others.length > 0) {
  process.stdout.write(usage);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    const rows = parseLogRows(await readFile(file, "utf8")).map(judge);
    const errors = absoluteErrors(rows);
    const report = {
      rows,
      meanAbsError: mean(errors),
      worstAbsError: Math.max(0, ...errors),
      brokenPromises: rows.filter(({ promised, refused }) => promised && refused).length,
    };
    process.stdout.write(
      values.json ? `${JSON.stringify(report, null, 2)}\n` : `${tableOf(rows)}\n${speedView(planSpeeds())}`,
    );
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
