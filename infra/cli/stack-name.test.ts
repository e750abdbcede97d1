import { expect, test } from "vitest";
import { parseStackName } from "./stack-name.ts";

test("a stack is named alone, or with its organization", () => {
  expect(parseStackName("prod")).toEqual({ full: "prod", name: "prod" });
  expect(parseStackName("acme/prod")).toEqual({ full: "acme/prod", organization: "acme", name: "prod" });
});

test.each(["acme/llama-platform/prod", "../prod", "acme/", "/prod", "", "pr od"])(
  "%j is no stack's name",
  (text) => {
    expect(() => parseStackName(text)).toThrow("write the stack's name, or organization/name");
  },
);
