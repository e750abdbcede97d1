import { expect, test } from "vitest";
import { matchesLabels } from "./labels.ts";

const labels = { pool: "h100", "example.com/tier": "" };

test.for([
  [{}, true],
  [{ pool: "h100" }, true],
  [{ pool: "h100", "example.com/tier": "" }, true],
  [{ pool: "h200" }, false],
  [{ pool: "h100", zone: "a" }, false],
  [{ zone: "" }, false],
  // No label, although every object of JavaScript has it.
  [{ toString: "" }, false],
] as const)("labels match %j: %s", ([wanted, expected]) => {
  expect(matchesLabels(labels, wanted)).toBe(expected);
});

test("an object without labels matches what wants none", () => {
  expect(matchesLabels(undefined, {})).toBe(true);
  expect(matchesLabels(undefined, { pool: "h100" })).toBe(false);
});
