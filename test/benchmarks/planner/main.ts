// `npm run bench:planner -- FILE.csv`: how near the planner comes to what engines logged, row by row and regime by
// regime, and how many fits it promised that the engine refused. Plans from a row's names and settings alone.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseLogRows } from "./log-row.ts";
import { judge, promisesTooMuch } from "./judge.ts";
import { planSpeeds, type PlanSpeed } from "./speed.ts";
import { absoluteErrors, mean, tableOf } from "./table.ts";

const usage = `Holds the planner against start-up logs.

npm run bench:planner -- [FILE.csv] [--json]
  FILE.csv   rows in the form of test/benchmarks/planner/logs.csv, which are read when there is none
  --json     {rows, meanAbsError, worstAbsError, brokenPromises, leastAboveLogged} instead of the table; errors are
             fractions
`;

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
      leastAboveLogged: rows.filter(promisesTooMuch).length,
    };
    process.stdout.write(
      values.json ? `${JSON.stringify(report, null, 2)}\n` : `${tableOf(rows)}\n${speedView(planSpeeds())}`,
    );
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
