import { describe, expect, test } from "vitest";
import { z } from "zod";
import { boundedMap, withRules } from "./schema.ts";
import { UnsupportedSchemaError, structuralSchema } from "./structural-schema.ts";

describe("structuralSchema", () => {
  test("drops what only JSON Schema says: closed objects, and the bounds of a JavaScript number", () => {
    expect(structuralSchema(z.strictObject({ size: z.int().min(1) }))).toEqual({
      type: "object",
      properties: { size: { type: "integer", format: "int64", minimum: 1 } },
      required: ["size"],
    });
  });

  test("leaves a field with a default optional and says the default", () => {
    expect(structuralSchema(z.strictObject({ mode: z.enum(["a", "b"]).default("a") }))).toEqual({
      type: "object",
      properties: { mode: { type: "string", enum: ["a", "b"], default: "a" } },
    });
  });

  test("writes a time as a format, without zod's pattern", () => {
    expect(structuralSchema(z.iso.datetime())).toEqual({ type: "string", format: "date-time" });
  });

  test("writes slashes in patterns as people do", () => {
    expect(structuralSchema(z.string().regex(/^a\/b$/))).toEqual({ type: "string", pattern: "^a/b$" });
  });

  test("carries rules, and the keys of a map as a rule", () => {
    const pattern = /^[a-z]+$/;
    const map = boundedMap(z.string().max(9), { pattern, message: "letters only" }, 4);
    expect(structuralSchema(map)).toEqual({
      type: "object",
      maxProperties: 4,
      additionalProperties: { type: "string", maxLength: 9 },
      "x-kubernetes-validations": [
        { rule: "self.all(key, key.matches(r'^[a-z]+$'))", message: "letters only" },
      ],
    });
  });

  test("keeps a rule's field and the description around it", () => {
    const range = withRules(z.strictObject({ low: z.int(), high: z.int() }), [
      {
        cel: "self.low <= self.high",
        holds: (self) => self.low <= self.high,
        message: "low is at most high",
        fieldPath: ".low",
      },
    ]).describe("A range.");
    expect(structuralSchema(range)).toMatchObject({
      description: "A range.",
      "x-kubernetes-validations": [
        { rule: "self.low <= self.high", message: "low is at most high", fieldPath: ".low" },
      ],
    });
  });

  test.each([
    ["a union", z.strictObject({ value: z.union([z.string(), z.int()]) }), ".value"],
    ["a tuple", z.strictObject({ value: z.tuple([z.string()]) }), ".value[]"],
    ["anything", z.strictObject({ list: z.array(z.unknown()) }), ".list[]"],
    ["null", z.strictObject({ value: z.string().nullable() }), ".value"],
    ["a fraction", z.strictObject({ value: z.number() }), ".value"],
    ["unknown fields", z.looseObject({}), "{}"],
  ])("refuses %s and says where", (_name, schema, path) => {
    expect(() => structuralSchema(schema)).toThrow(
      expect.objectContaining({ path, code: "UnsupportedSchema" }),
    );
    expect(() => structuralSchema(schema)).toThrow(UnsupportedSchemaError);
  });
});
