// The rules of style that a machine can hold; the others are in CONTRIBUTING.md.
import { expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

const files = sourceFiles();

/** Longer files hold two ideas. */
const maxLines = 600;
/** Beyond this a file deserves a look: few may be. */
const longLines = 350;
const maxLongShare = 0.1;

const lineCount = (text: string) => text.split("\n").length - 1;

test(`no file has more than ${maxLines} lines`, () => {
  const tooLong = files
    .filter(({ text }) => lineCount(text) > maxLines)
    .map(
      ({ path, text }) => `${path} has ${lineCount(text)} lines: split it at the seam between its two ideas`,
    );
  expect(tooLong).toEqual([]);
});

test(`few files have more than ${longLines} lines`, () => {
  const long = files.filter(({ text }) => lineCount(text) > longLines).map(({ path }) => path);
  expect(long.length, `long files: ${long.join(", ")}`).toBeLessThanOrEqual(
    Math.ceil(files.length * maxLongShare),
  );
});

test("every file opens with a comment on why it exists; a test is explained by the source beside it", () => {
  const paths = new Set(files.map(({ path }) => path));
  const silent = files
    .filter(({ path }) => !(path.endsWith(".test.ts") && paths.has(path.replace(/\.test\.ts$/, ".ts"))))
    .filter(({ text }) => !/^(?:#![^\n]*\n)?\/[/*]/.test(text))
    .map(({ path }) => `${path} opens without a comment: say in one to five lines why it exists`);
  expect(silent).toEqual([]);
});

test("no file has a default export", () => {
  const withDefault = files
    .filter(({ text }) => /^export default\b|^export \{[^}]*\bas default\b/m.test(text))
    .map(({ path }) => `${path} has a default export: name it, so that it has one name everywhere`);
  expect(withDefault).toEqual([]);
});

test("no name says nothing: utils, helpers, common", () => {
  const vague = files
    .map(({ path }) => path)
    .filter((path) => /(?:^|[/-])(?:utils?|helpers?|common|misc)(?:[-./]|$)/.test(path));
  expect(vague).toEqual([]);
});

test("constants are written as other names are", () => {
  const shouting = files.flatMap(({ path, text }) =>
    [...text.matchAll(/^\s*(?:export )?const ([A-Z][A-Z0-9_]+)\b/gm)].map(
      ([, name]) => `${path} shouts ${name}`,
    ),
  );
  expect(shouting).toEqual([]);
});

test("pure parts know no clock and no chance", () => {
  const pure = /^src\/(?:llama|operator\/workloads)\//;
  const impure = files
    .filter(({ path }) => pure.test(path) && !path.endsWith(".test.ts"))
    .filter(({ text }) => /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(/.test(text))
    .map(({ path }) => `${path} reads a clock or rolls dice: take the time or the number as a parameter`);
  expect(impure).toEqual([]);
});
