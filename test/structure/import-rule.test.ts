// Walks the import graph of the whole repository and holds the table of who may import whom.
import { expect, test } from "vitest";
import { brokenImports } from "./import-rule.ts";
import { parts } from "./import-table.ts";
import type { Part } from "./import-table.ts";
import { sourceFiles } from "./source-files.ts";

test("every import in the repository follows the table", () => {
  expect(brokenImports(sourceFiles(), parts)).toEqual([]);
});

test("the table names only parts that it has", () => {
  const paths = new Set(parts.map(({ path }) => path));
  const named = parts.flatMap(({ uses, typesOf = [] }) => [...uses, ...typesOf]);
  expect(named.filter((path) => !paths.has(path) && path !== "src")).toEqual([]);
});

const house: readonly Part[] = [
  { path: "src/plan", uses: ["src/facts"], typesOf: ["src/kube"], packages: [] },
  { path: "src/facts", uses: [], packages: [] },
  { path: "src/kube", uses: [], packages: ["node:*", "undici"] },
];

const broken = (path: string, text: string) => brokenImports([{ path, text }], house);

test("what the table allows passes: its own part, a part it uses, types of a part, a package", () => {
  expect(broken("src/plan/fit.ts", 'import { fit } from "./memory.ts";')).toEqual([]);
  expect(broken("src/plan/fit.ts", 'import { gpus } from "../facts/gpus.ts";')).toEqual([]);
  expect(broken("src/plan/fit.ts", 'import type { Client } from "../kube/client.ts";')).toEqual([]);
  expect(broken("src/kube/pool.ts", 'import { Pool } from "undici";')).toEqual([]);
  expect(broken("src/kube/pool.ts", 'import { join } from "node:path";')).toEqual([]);
});

test("an import against the table is named with its file, line and rule", () => {
  expect(broken("src/facts/gpus.ts", '\nimport { fit } from "../plan/fit.ts";')).toEqual([
    "src/facts/gpus.ts:2 imports ../plan/fit.ts: src/facts may import nothing of ours",
  ]);
  expect(broken("src/plan/fit.ts", 'export { list } from "../kube/list.ts";')).toEqual([
    "src/plan/fit.ts:1 imports ../kube/list.ts: src/plan may import types of src/kube, not values",
  ]);
  expect(broken("src/kube/pool.ts", 'import { fit } from "../plan/fit.ts";')).toEqual([
    "src/kube/pool.ts:1 imports ../plan/fit.ts: src/kube may import nothing of ours",
  ]);
});

test("a package that the table does not give is refused, its types are free", () => {
  expect(broken("src/plan/clock.ts", 'import { setTimeout } from "node:timers/promises";')).toEqual([
    "src/plan/clock.ts:1 imports node:timers/promises: src/plan may import no package",
  ]);
  expect(broken("src/plan/fit.ts", 'import type { Pool } from "undici";')).toEqual([]);
});

test("what the table cannot judge is refused: an unknown folder, a computed path, a test", () => {
  expect(broken("src/new/thing.ts", "")).toEqual([
    "src/new/thing.ts: its folder is not in test/structure/import-table.ts; add a line for it",
  ]);
  expect(broken("src/plan/fit.ts", "await import(name);")).toEqual([
    "src/plan/fit.ts:1 imports (computed): a path that is computed cannot be judged; import a literal",
  ]);
  expect(broken("src/plan/fit.ts", 'import { cases } from "./fit.test.ts";')).toEqual([
    "src/plan/fit.ts:1 imports ./fit.test.ts: a test is nobody's to import",
  ]);
});

test("a test beside its source may import anything", () => {
  expect(broken("src/facts/gpus.test.ts", 'import { fit } from "../plan/fit.ts";')).toEqual([]);
});
