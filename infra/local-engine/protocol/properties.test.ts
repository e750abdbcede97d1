import { expect, test } from "vitest";

import {
  decodeProperties,
  encodeProperties,
  hasUnknowns,
  plainMap,
  Secret,
  secretsLike,
  Unknown,
} from "./properties.ts";

const signed = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

test("secrets and unknowns come out of the engine's JSON as such and go back as they came", () => {
  const sent = { a: signed({ b: [1, null] }), c: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", d: [signed("e")] };
  const read = decodeProperties(sent);
  expect(read).toEqual({ a: new Secret({ b: [1, null] }), c: new Unknown(), d: [new Secret("e")] });
  expect(encodeProperties(read)).toEqual(sent);
});

test("an output that is secret and not known yet is a secret unknown", () => {
  const output = { "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", secret: true };
  expect(decodeProperties({ output })).toEqual({ output: new Secret(new Unknown()) });
});

test("a plain map has its secrets in clear and no nulls", () => {
  expect(plainMap({ a: new Secret({ b: new Secret("c"), d: null }), e: null })).toEqual({ a: { b: "c" } });
});

test("an unknown is found inside of secrets and lists", () => {
  expect(hasUnknowns({ a: [new Secret({ b: new Unknown() })] })).toBe(true);
  expect(hasUnknowns({ a: [new Secret({ b: null })] })).toBe(false);
});

test("what was secret in the inputs is secret in the outputs", () => {
  const inputs = { data: { password: new Secret("x"), user: "u" }, list: [new Secret(1)] };
  expect(secretsLike({ data: { password: "x", user: "u", more: 1 }, list: [1, 2] }, inputs)).toEqual({
    data: { password: new Secret("x"), user: "u", more: 1 },
    list: [new Secret(1), 2],
  });
});
