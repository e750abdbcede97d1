import { expect, test } from "vitest";
import { slowestFiles } from "./slowest-files.ts";

const files = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `${index}.test.ts`, seconds: index * 2.5 }));

test("a run names its ten slowest files, the slowest first", () => {
  const lines = slowestFiles(files(12));
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe("    27.5 s  11.test.ts");
  expect(lines.at(-1)).toBe("     5.0 s  2.test.ts");
});

test("a run of few files names none", () => {
  expect(slowestFiles(files(10))).toEqual([]);
});
