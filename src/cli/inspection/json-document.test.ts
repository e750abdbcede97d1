import { expect, test } from "vitest";
import { z } from "zod";
import { parseDocument } from "./json-document.ts";

const anything = z.unknown();
const parse = (text: string) => parseDocument("config.json", text, anything);

test("a document is what its JSON says, whatever brackets its texts have", () => {
  expect(parse('{"a": ["\\"[[[[", "]]"], "b": {"c": 1}}')).toEqual({ a: ['"[[[[', "]]"], b: { c: 1 } });
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
  expect(() => parseDocument("config.json", '{"a": {"b": 1.5}}', schema)).toThrow("config.json: a.b: ");
});
