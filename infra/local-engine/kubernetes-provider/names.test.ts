import { expect, test } from "vitest";

import { Unknown } from "../protocol/properties.ts";
import { autoname, isAutonamed, named } from "./names.ts";

const newName = () => "thing-new";
const autonamed = { metadata: { name: "thing-old", annotations: { "pulumi.com/autonamed": "true" } } };

test("a name is the same for the same seed, and another without one", () => {
  const seed = new Uint8Array([1, 2, 3]);
  expect(autoname("thing", seed)).toMatch(/^thing-[0-9a-f]{8}$/);
  expect(autoname("thing", seed)).toBe(autoname("thing", seed));
  expect(autoname("thing", new Uint8Array())).not.toBe(autoname("thing", new Uint8Array()));
});

test("a name of its own is kept, and one that is not known yet is waited for", () => {
  const given = { metadata: { name: "mine" } };
  expect(named(given, undefined, newName)).toBe(given);
  const unknown = { metadata: { name: new Unknown() } };
  expect(named(unknown, undefined, newName)).toBe(unknown);
});

test("a new object without a name gets one, with a note", () => {
  const made = named({ kind: "Thing" }, undefined, newName);
  expect(made).toEqual({
    kind: "Thing",
    metadata: { name: "thing-new", annotations: { "pulumi.com/autonamed": "true" } },
  });
  expect(isAutonamed(made)).toBe(true);
});

test("an object that was named here keeps its name", () => {
  expect(named({}, autonamed, newName)).toEqual(autonamed);
});
