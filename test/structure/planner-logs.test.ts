// The planner against public start-up logs: what `npm run bench:planner` prints must stay as good as the docs say.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseLogRows } from "../benchmarks/planner/log-row.ts";
import { predict } from "../benchmarks/planner/predict.ts";
import { repositoryRoot } from "./source-files.ts";

const rows = parseLogRows(
  readFileSync(join(repositoryRoot, "test", "benchmarks", "planner", "logs.csv"), "utf8"),
);

/** The rows that the constants were first fitted on come first. */
test.each(rows.slice(0, 5).map((row) => [row.id, row] as const))("%s is met within 2.5 %%", (_, row) => {
  expect(Math.abs(predict(row).tokens / (row.kv_tokens ?? 0) - 1)).toBeLessThan(0.025);
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
