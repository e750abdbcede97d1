import { expect, test } from "vitest";

import { Unknown } from "../protocol/properties.ts";
import { differences, isWithin, propertyPath } from "./differences.ts";

test("each leaf that was added, removed or changed is one difference", () => {
  const before = { a: { b: 1, c: [1, 2] }, d: "x", e: null };
  const after = { a: { b: 2, c: [1] }, d: "x", e: null, f: { g: 1 } };
  expect(differences(before, after)).toEqual([
    { path: ["a", "b"], kind: "update" },
    { path: ["a", "c", 1], kind: "delete" },
    { path: ["f"], kind: "add" },
  ]);
});

test("what is not known yet may be anything", () => {
  expect(differences({ a: 1 }, { a: new Unknown() })).toEqual([{ path: ["a"], kind: "update" }]);
});

test("a path is written so that the engine reads the same one", () => {
  expect(propertyPath(["spec", "containers", 0, "image"])).toBe("spec.containers[0].image");
  expect(propertyPath(["metadata", "annotations", "a.b/c"])).toBe('metadata.annotations["a.b/c"]');
});

test("a pattern holds for what it names and for what is below", () => {
  const image = ["spec", "containers", 1, "image"];
  expect(isWithin(image, "spec.containers[*].image")).toBe(true);
  expect(isWithin(image, "spec.containers")).toBe(true);
  expect(isWithin(image, "spec.containers[*].command")).toBe(false);
  expect(isWithin(["spec"], "spec.containers")).toBe(false);
});
