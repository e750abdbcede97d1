// CRDs change by addition only: what was stored and written under those of commit 99a955d is valid under those of today,
// so that an operator and CRDs of different releases can meet, in an upgrade and in a rollback.
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { customResourceDefinitions } from "../../src/llama/api/crd.ts";

interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
}

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const fixture = new URL("../fixtures/fleet-99a955d/crds.json", import.meta.url);
const recorded = JSON.parse(readFileSync(fixture, "utf8")) as readonly Definition[];
const today = customResourceDefinitions() as unknown as readonly Definition[];

/** Keywords that bound a value from above or below: today's bound may be wider, never narrower. */
const upper = ["maximum", "maxLength", "maxItems", "maxProperties"];
const lower = ["minimum", "minLength", "minItems", "minProperties"];

/**
 * Patterns that became narrower, old and new: what they refuse now pods have always refused, or could name no object with,
 * so that nothing that is stored and runs is refused. An empty part in a name (`a..b`); keys of a Secret that would be
 * folders (`.`, `..`).
 */
const refusedByPods: ReadonlyMap<unknown, string> = new Map([
  ["^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"],
  ["^[-._a-zA-Z0-9]+$", "^\\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$"],
  [
    "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
  ],
]);

/** What a value that was valid before may stumble over now. */
function narrowed(path: string, before: Schema, after: Schema | undefined): readonly string[] {
  if (after === undefined) return [`${path} is gone`];
  const found: string[] = [];
  const { properties = {}, items, additionalProperties, enum: values = [], required = [] } = before;
  if (before["type"] !== after["type"]) found.push(`${path} has another type`);
  const { pattern } = before;
  if (pattern !== after["pattern"] && refusedByPods.get(pattern) !== after["pattern"])
    found.push(`${path} has another pattern`);
  if (!isDeepStrictEqual(before["default"], after["default"])) {
    found.push(`${path} has another default`);
  }
  for (const value of values)
    if (after.enum?.includes(value) !== true) found.push(`${path} lacks ${String(value)}`);
  for (const name of after.required ?? []) {
    if (!required.includes(name)) found.push(`${path}.${name} is required now`);
  }
  for (const keyword of upper) {
    if (Number(after[keyword] ?? Infinity) < Number(before[keyword] ?? Infinity))
      found.push(`${path} ${keyword}`);
  }
  for (const keyword of lower) {
    if (Number(after[keyword] ?? -Infinity) > Number(before[keyword] ?? -Infinity))
      found.push(`${path} ${keyword}`);
  }
  for (const [name, schema] of Object.entries(properties)) {
    found.push(...narrowed(`${path}.${name}`, schema, after.properties?.[name]));
  }
  if (items !== undefined) found.push(...narrowed(`${path}[]`, items, after.items));
  if (typeof additionalProperties === "object") {
    const other = after.additionalProperties;
    found.push(...narrowed(`${path}{}`, additionalProperties, typeof other === "object" ? other : undefined));
  }
  return found;
}

test.each(recorded.map((crd) => [crd.metadata.name, crd] as const))("%s only grows", (name, before) => {
  const after = today.find(({ metadata }) => metadata.name === name);
  const names = ({ spec }: Definition) => spec.versions.map((version) => version.name);
  expect(after === undefined ? [] : names(after)).toEqual(names(before));
  const schema = (crd: Definition | undefined) => crd?.spec.versions[0]?.schema.openAPIV3Schema;
  expect(narrowed(name, schema(before) ?? {}, schema(after))).toEqual([]);
});

test("a narrowed schema is found", () => {
  const before = {
    type: "object",
    properties: { a: { type: "integer", maximum: 5 }, b: { type: "string" } },
  };
  const after = { type: "object", properties: { a: { type: "integer", maximum: 4 } }, required: ["a"] };
  expect(narrowed("it", before, after)).toEqual(["it.a is required now", "it.a maximum", "it.b is gone"]);
});
