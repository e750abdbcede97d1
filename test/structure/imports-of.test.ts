// The import rule is only as good as its eyes: each form of import is seen, and nothing else is.
import { expect, test } from "vitest";
import { importsOf } from "./imports-of.ts";

const specifiers = (source: string) => importsOf(source).map(({ specifier }) => specifier);

test("finds declarations, re-exports, side effects and dynamic imports, in order of their lines", () => {
  const source = [
    'import { a } from "./a.ts";',
    'import "./b.ts";',
    "import {",
    "  c,",
    "  d,",
    '} from "./c.ts";',
    'export { e } from "./e.ts";',
    'export * from "./f.ts";',
    "async function load() {",
    '  return import("./g.ts");',
    "}",
  ].join("\n");
  expect(specifiers(source)).toEqual(["./a.ts", "./b.ts", "./c.ts", "./e.ts", "./f.ts", "./g.ts"]);
  expect(importsOf(source).at(-1)?.line).toBe(10);
});

test("tells imports of types from imports of values", () => {
  const typeOnly = (source: string) => importsOf(source).map((found) => found.typeOnly);
  expect(typeOnly('import type { A } from "./a.ts";')).toEqual([true]);
  expect(typeOnly('import { type A, type B } from "./a.ts";')).toEqual([true]);
  expect(typeOnly('import { type A, b } from "./a.ts";')).toEqual([false]);
  expect(typeOnly('export type { A } from "./a.ts";')).toEqual([true]);
  expect(typeOnly('export type Client = import("./client.ts").KubeClient;')).toEqual([true]);
  expect(typeOnly('const client = await import("./client.ts");')).toEqual([false]);
});

test("ignores imports in comments", () => {
  expect(specifiers('// import { a } from "./a.ts";\n/**\n * import("./b.ts")\n */\nexport {};')).toEqual([]);
});

test("names a dynamic import that no rule can judge", () => {
  expect(specifiers("const module = await import(path);")).toEqual(["(computed)"]);
});

test("does not take exported values for re-exports", () => {
  expect(specifiers('export const from = "./a.ts";\nexport function copy() {\n  return "from";\n}')).toEqual(
    [],
  );
});
