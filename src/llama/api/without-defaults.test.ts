import { expect, test } from "vitest";
import { z } from "zod";
import { structuralSchema } from "./structural-schema.ts";
import { withoutDefaults } from "./without-defaults.ts";

const schema = structuralSchema(
  z.strictObject({
    size: z.int().min(1).max(9).default(1),
    name: z.string().max(9).exactOptional(),
    labels: z.record(z.string().max(9), z.string().max(9)).default({}),
    inner: z.strictObject({ mode: z.string().max(9).default("auto") }).default({ mode: "auto" }),
    list: z
      .array(z.strictObject({ name: z.string().max(9), soft: z.boolean().default(false) }))
      .max(9)
      .default([]),
  }),
);

test.each([
  ["nothing", {}, {}],
  ["defaults, written out", { size: 1, inner: { mode: "auto" }, list: [], labels: {} }, {}],
  ["an inner default that is left out", { inner: {} }, {}],
  ["what the schema does not name", { hostIPC: false, inner: { novelty: 1 } }, {}],
  ["other values", { size: 2, inner: { mode: "fast" } }, { size: 2, inner: { mode: "fast" } }],
  ["a map, whose keys are anybody's", { labels: { team: "a" } }, { labels: { team: "a" } }],
  [
    "items of a list",
    {
      list: [
        { name: "a", soft: false, novelty: 1 },
        { name: "b", soft: true },
      ],
    },
    { list: [{ name: "a" }, { name: "b", soft: true }] },
  ],
])("of %s", (_, value, stated) => {
  expect(withoutDefaults(value, schema)).toEqual(stated);
});

test("members that are kept stay at their default", () => {
  expect(withoutDefaults({ size: 1, inner: { mode: "auto" } }, schema, ["size"])).toEqual({ size: 1 });
});
