import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type CustomResourceDefinition, customResourceDefinitions } from "./crd.ts";
import type { StructuralSchema } from "./structural-schema.ts";

interface Node {
  readonly path: string;
  readonly schema: StructuralSchema;
}

/** A schema and all below it, except what every kind of Kubernetes shares: apiVersion, kind, metadata. */
function* nodes(schema: StructuralSchema, path = ""): Generator<Node> {
  yield { path, schema };
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (path === "" && ["apiVersion", "kind", "metadata"].includes(name)) continue;
    yield* nodes(child, `${path}.${name}`);
  }
  if (schema.items !== undefined) yield* nodes(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) yield* nodes(schema.additionalProperties, `${path}{}`);
}

const isBounded: Readonly<Record<StructuralSchema["type"], (schema: StructuralSchema) => boolean>> = {
  string: (schema) =>
    schema.maxLength !== undefined || schema.enum !== undefined || schema.format === "date-time",
  array: (schema) => schema.maxItems !== undefined && schema["x-kubernetes-list-type"] !== undefined,
  object: (schema) =>
    schema.additionalProperties === undefined
      ? schema.properties !== undefined
      : schema.maxProperties !== undefined,
  integer: (schema) => (schema.format === "int32" ? schema.maximum !== undefined : schema.format === "int64"),
  boolean: () => true,
};

const rootOf = (crd: CustomResourceDefinition) => crd.spec.versions[0].schema.openAPIV3Schema;

describe.each(customResourceDefinitions().map((crd) => [crd.spec.names.kind, crd] as const))(
  "the CRD of %s",
  (_kind, crd) => {
    const all = [...nodes(rootOf(crd))];

    test("bounds every string, list, map and number", () => {
      expect(all.filter(({ schema }) => !isBounded[schema.type](schema)).map(({ path }) => path)).toEqual([]);
    });

    test("describes every field, for kubectl explain", () => {
      const isField = ({ path }: Node) => !path.endsWith("]") && !path.endsWith("}");
      const without = all.filter((node) => isField(node) && node.schema.description === undefined);
      expect(without.map((node) => node.path)).toEqual([]);
    });

    test("defaults every required parent of a default, so that the default is reached", () => {
      const unreached = all.filter(
        ({ schema }) =>
          schema.required?.some((name) => schema.properties?.[name]?.default !== undefined) ?? false,
      );
      expect(unreached.map((node) => node.path)).toEqual([]);
    });

    test("keeps kstatus waiting until the operator has seen an object", () => {
      expect(rootOf(crd).properties?.["status"]?.default).toEqual({ observedGeneration: -1 });
    });

    test("takes less than 60 kB", () => {
      expect(Buffer.byteLength(stringify(crd, { lineWidth: 0 }))).toBeLessThan(60_000);
    });

    test("holds plain data: it goes through JSON unchanged", () => {
      expect(JSON.parse(JSON.stringify(crd))).toEqual(crd);
    });
  },
);

describe("what kubectl get prints", () => {
  const columns = (kind: string, wide: boolean) =>
    customResourceDefinitions()
      .find(({ spec }) => spec.names.kind === kind)
      ?.spec.versions[0].additionalPrinterColumns.filter(({ priority }) => wide || priority === undefined)
      .map(({ name }) => name.toUpperCase())
      .join("  ");

  test("of LlamaDeployments fits a terminal", () => {
    expect(columns("LlamaDeployment", false)).toBe(
      "MODEL  READY  REASON  SERVING  WANTED  TP  PP  GPUS  AGE",
    );
    expect(columns("LlamaDeployment", true)).toBe(
      "MODEL  READY  REASON  SERVING  WANTED  TP  PP  GPUS  AGE  POOL  ENDPOINT  CONCURRENCY  DRIFT %  CHECKPOINT",
    );
  });

  test("of GpuPools fits a terminal", () => {
    expect(columns("GpuPool", false)).toBe("GPU  PER NODE  NODES  FREE NODES  USED  TOTAL  AGE");
  });

  test("comes from fields that the schemas have, and so does /scale", () => {
    for (const crd of customResourceDefinitions()) {
      const { additionalPrinterColumns, subresources } = crd.spec.versions[0];
      const paths = [
        ...additionalPrinterColumns.map(({ jsonPath }) => jsonPath),
        ...Object.values(subresources.scale ?? {}),
      ].filter((path) => !path.startsWith(".metadata."));
      for (const path of paths)
        expect(`${path}: ${typeAt(rootOf(crd), path)}`).toMatch(/: (string|integer)$/);
    }
  });
});

/** The type of the field at a JSON path; the filter of a list counts as the list. */
function typeAt(root: StructuralSchema, jsonPath: string): string | undefined {
  const fields = jsonPath
    .replace(/\[.*\]/, "")
    .slice(1)
    .split(".");
  const schema = fields.reduce<StructuralSchema | undefined>(
    (parent, field) => (parent?.items ?? parent)?.properties?.[field],
    root,
  );
  return schema?.type;
}
