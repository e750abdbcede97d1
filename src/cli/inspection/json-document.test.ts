import { expect, test } from "vitest";
import { z } from "zod";
import { parseDocument, parseValue } from "./json-document.ts";

const anything = z.unknown();
const parse = (text: string) => parseDocument("config.json", text, anything);

test("a document is what its JSON says, whatever brackets its texts have", () => {
  expect(parse('{"a": ["\\"[[[[", "]]"], "b": {"c": 1}}')).toEqual({ a: ['"[[[[', "]]"], b: { c: 1 } });
});

test("what Python's json writes beyond the format is read: infinity, no number, and a byte order mark", () => {
  expect(parse('\ufeff{"a": [0.0, Infinity, -Infinity, NaN], "b": "NaN, Infinity"}')).toEqual({
    a: [0, Infinity, -Infinity, null],
    b: "NaN, Infinity",
  });
  expect(parse('{"Infinity":NaN}')).toEqual({ Infinity: null });
});

test.each(["[1Infinity]", "[Infinity5]", "[NaNs]", "[aNaN]", "[+Infinity]", "Infinit", '["a"NaN]'])(
  "%s is no JSON, Python's neither",
  (text) => {
    expect(() => parse(text)).toThrow("config.json: not JSON");
  },
);

test.each([
  ["null", { a: null }, "a is null, and text belongs there"],
  ["what is missing", {}, "a is missing, and text belongs there"],
  ["a list", { a: [1] }, "a is [1], and text belongs there"],
])("%s in the place of text gets a sentence", (_case, value, message) => {
  expect(() => parseValue("config.json", value, z.object({ a: z.string() }))).toThrow(
    `config.json: ${message}`,
  );
});

test.each([
  ["what is no JSON", "{", "config.json: not JSON"],
  ["a text that does not end", '"\\', "config.json: not JSON"],
  ["nested brackets", "[".repeat(1_000_000), "config.json: its JSON nests deeper than 64 levels"],
  ["nested objects", '{"a":'.repeat(100), "config.json: its JSON nests deeper than 64 levels"],
  [
    "a million objects",
    `[${"{},".repeat(1_000_000)}{}]`,
    "config.json: its JSON has more than 1000000 values",
  ],
])("%s is refused before it is built", (_case, text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test("what the schema does not allow is named by its path", () => {
  const schema = z.object({ a: z.object({ b: z.int() }) });
  expect(() => parseDocument("config.json", '{"a": {"b": 1.5}}', schema)).toThrow(
    "config.json: a.b is 1.5, and a whole number belongs there",
  );
});
