import { expect, test } from "vitest";
import { SharedStrings } from "./shared-strings.ts";

test("leaves every value what it was", () => {
  const object = { a: "x", list: ["x", { b: "x", none: null, count: 1 }], frozen: Object.freeze({ c: "x" }) };
  const before = structuredClone(object);
  const strings = new SharedStrings();
  strings.share(object);
  strings.share(object);
  expect(object).toEqual(before);
});

test("shares strings among the objects of one list", () => {
  // Read from JSON, as lists are: literals of a source file are one string already.
  const objects = Array.from({ length: 2 }, () => JSON.parse('{"labels":["the same label of two objects"]}'));
  const strings = new SharedStrings();
  const assigned: unknown[] = [];
  for (const object of objects) {
    const labels = new Proxy(object.labels as string[], {
      set(target, at, value) {
        assigned.push(value);
        return Reflect.set(target, at, value);
      },
    });
    strings.share({ labels });
  }
  expect(assigned).toEqual(["the same label of two objects"]);
});

test("forgets what it knew at its limit, and goes on sharing", () => {
  const strings = new SharedStrings(2);
  const objects = ["a", "b", "c", "c"].map((text) => ({ text }));
  for (const object of objects) strings.share(object);
  expect(objects.map(({ text }) => text)).toEqual(["a", "b", "c", "c"]);
});
