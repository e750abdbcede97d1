import { expect, test } from "vitest";
import { entrypointOf, parseProgram, programFlag } from "./program-table.ts";

const table = new Map([["registry.example.com:5000/operator", ["/node", "/main.ts"]]]);

test.each([
  "registry.example.com:5000/operator",
  "registry.example.com:5000/operator:0.1.0",
  "registry.example.com:5000/operator@sha256:00",
  "registry.example.com:5000/operator:0.1.0@sha256:00",
])("%s is a program by its repository, whatever its tag or digest", (image) => {
  expect(entrypointOf(image, table)).toEqual(["/node", "/main.ts"]);
});

test("other images are none", () => {
  expect(entrypointOf("registry.example.com:5000/operator/other:0.1.0", table)).toBeUndefined();
  expect(entrypointOf(undefined, table)).toBeUndefined();
});

test("an entry is read as it is written", () => {
  const [, value = ""] = /^--program=(.*)$/.exec(programFlag("a.b/c", ["/node", "a=b"])) ?? [];
  expect(parseProgram(value)).toEqual(["a.b/c", ["/node", "a=b"]]);
});

test.each(["", "image", "=[]", "image=", 'image="word"', "image=[]", "image=[1]"])(
  "%j is no entry",
  (text) => {
    expect(() => parseProgram(text)).toThrow("not IMAGE=COMMAND");
  },
);
