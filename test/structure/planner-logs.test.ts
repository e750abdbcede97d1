// The planner against public start-up logs: what `npm run bench:planner` prints must stay as good as the docs say.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseLogRows } from "../benchmarks/planner/log-row.ts";
import { judge, promisesTooMuch } from "../benchmarks/planner/judge.ts";
import { tableOf } from "../benchmarks/planner/table.ts";
import { predict } from "../benchmarks/planner/predict.ts";
import { repositoryRoot } from "./source-files.ts";

const rows = parseLogRows(
  readFileSync(join(repositoryRoot, "test", "benchmarks", "planner", "logs.csv"), "utf8"),
);

const judged = rows.map(judge);
const regimes = [...new Set(judged.map(({ regime }) => regime))];
/** Of starts that had room for a request: the few tokens of a refused start make large errors of a few MiB. */
const errorsOf = (regime: string): readonly number[] =>
  judged.flatMap((row) =>
    row.regime === regime && !row.refused && row.error !== null ? [Math.abs(row.error)] : [],
  );

test.each([
  ...regimes.filter((regime) => regime.startsWith("V1")).map((regime) => [regime, 0.01] as const),
  ...regimes.filter((regime) => regime.startsWith("V2")).map((regime) => [regime, 0.02] as const),
])("%s is met within %d of the tokens on average", (regime, most) => {
  const errors = errorsOf(regime);
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(most);
});

test("no row from 0.8 on is off by more than 0.5 GiB a GPU", () => {
  const off = judged.filter(
    ({ regime, errorGibPerGpu }) => /^V[12]/.test(regime) && Math.abs(errorGibPerGpu ?? 0) > 0.5,
  );
  expect(off.map(({ id }) => id)).toEqual([]);
});

test("what a plan promises at least was never less in a log", () => {
  expect(judged.filter(promisesTooMuch).map(({ id }) => id)).toEqual([]);
});

test("no start is promised that an engine refused", () => {
  const refused = rows.filter(
    ({ kv_tokens: tokens, max_model_len: longest }) => (tokens ?? longest) < longest,
  );
  expect(refused.length).toBeGreaterThan(1);
  expect(refused.filter((row) => predict(row).promised).map(({ id }) => id)).toEqual([]);
});

test("a version outside what is known is said to be so, and planned with less than the newest that is known", () => {
  const [row] = rows;
  if (row === undefined) throw new Error("no rows");
  const newest = predict({ ...row, engine_version: "0.33.0" });
  const unknown = predict({ ...row, engine_version: "0.60.0" });
  expect(unknown.regime).toContain("outside what is known");
  expect(unknown.tokens).toBeLessThan(newest.tokens);
});

test("what the engine reported is never planned from", () => {
  for (const row of rows) {
    expect(predict({ ...row, kv_tokens: 1, kv_gib: 1 })).toEqual(predict(row));
  }
});

test("a setting that a row states is planned with", () => {
  const row = rows.find(({ id }) => id === "rtx3090-8b-awq-v0280-warm");
  if (row === undefined) throw new Error("no such row");
  const tokens = predict(row).tokens;
  expect(predict({ ...row, compile_cache: "cold" }).tokens).toBeLessThan(tokens);
  expect(predict({ ...row, compile_cache: undefined })).toEqual(predict({ ...row, compile_cache: "cold" }));
  expect(predict({ ...row, max_num_batched_tokens: 16_384 }).tokens).toBeLessThan(tokens);
  expect(predict({ ...row, compile_cache: "cold", enforce_eager: true }).tokens).toBe(tokens);
  const [first = row] = rows;
  expect(predict({ ...first, flashinfer_sampler: true }).tokens).toBeGreaterThan(predict(first).tokens);
  const later = { ...row, engine_version: "0.30.0" };
  expect(predict({ ...later, max_cudagraph_capture_size: 8 }).tokens).toBeGreaterThan(predict(later).tokens);
});

test("docs/memory-model.md has the table that the benchmark prints", () => {
  const page = readFileSync(join(repositoryRoot, "docs", "memory-model.md"), "utf8");
  expect(page).toContain(`\`\`\`\n${tableOf(judged).trimEnd()}\n\`\`\`\n`);
});
