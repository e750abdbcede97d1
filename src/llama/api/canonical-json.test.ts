import { describe, expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

describe("canonical JSON", () => {
  test("does not depend on the order of keys", () => {
    expect(canonicalJson({ b: 1, a: { d: 2, c: 3 } })).toBe(canonicalJson({ a: { c: 3, d: 2 }, b: 1 }));
  });

  test("takes absent, undefined and empty for the same", () => {
    const expected = canonicalJson({ a: 1 });
    expect(canonicalJson({ a: 1, b: undefined, c: {}, d: [], e: { f: {} } })).toBe(expected);
  });

  test("keeps what differs apart", () => {
    const values = [
      { a: 0 },
      { a: "0" },
      { a: "" },
      { a: null },
      { a: false },
      { a: [0] },
      { a: [[], 0] },
      {},
    ];
    expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
  });
});
