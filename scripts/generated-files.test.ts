import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { customResourceDefinitions } from "@llama-operator/llama/api";
import { generatedFiles } from "./generated-files.ts";

const root = join(import.meta.dirname, "..");
const files = await generatedFiles(root);

describe("the generated files", () => {
  test.each(files)("$path is what src/llama/api says", async ({ path, content }) => {
    const written = await readFile(join(root, path), "utf8");
    expect(written === content, `${path} is stale: run \`npm run generate\``).toBe(true);
  });

  test("hold each CRD whole, with a policy that keeps it when the chart is uninstalled", () => {
    const templates = files.filter(({ path }) => path.startsWith("charts/"));
    const crds: unknown[] = templates.map(({ content }) => parse(content.replaceAll(/\{\{-.*?\}\}/gs, "")));
    expect(crds).toEqual(
      customResourceDefinitions().map((crd) => ({
        ...crd,
        metadata: { ...crd.metadata, annotations: { "helm.sh/resource-policy": "keep" } },
      })),
    );
  });

  test.each(files.filter(({ path }) => path.startsWith("charts/")))(
    "$path can be switched off, the whole CRD at once",
    ({ content }) => {
      const [, ...actions] = content.match(/\{\{.*?\}\}/gs) ?? [];
      expect(actions).toEqual(["{{- if .Values.crds.install }}", "{{- end }}"]);
    },
  );
});
