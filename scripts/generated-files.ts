// Every file of the repository that is written from src/llama/api, as path and content: one function serves the writer,
// its --check and the test that fails when a file is stale.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { type CustomResourceDefinition, customResourceDefinitions } from "@llama-operator/llama/api";
import { referencePage } from "./reference-page.ts";

export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly content: string;
}

/** The manifest of `examples/` that the reference page of each kind opens with. */
const examples: Readonly<Record<string, string>> = {
  LlamaDeployment: "llama-8b.yaml",
  GpuPool: "gpu-pool-h100.yaml",
};

/** All generated files of the repository at `root`. */
export async function generatedFiles(root: string): Promise<readonly GeneratedFile[]> {
  const crds = customResourceDefinitions();
  return [...crds.map(crdTemplate), ...(await Promise.all(crds.map(async (crd) => reference(root, crd))))];
}

/** @throws Error if the kind has no example. */
async function reference(root: string, crd: CustomResourceDefinition): Promise<GeneratedFile> {
  const { kind, singular } = crd.spec.names;
  const example = examples[kind];
  if (example === undefined) throw new Error(`name an example of ${kind} for its reference page`);
  const manifest = await readFile(join(root, "examples", example), "utf8");
  return { path: `docs/reference/${singular}.md`, content: referencePage(crd, manifest) };
}

/**
 * A CRD as a template of the chart. Helm installs its `crds/` folder once and never upgrades it, so the CRDs are
 * templates; the keep policy stops `helm uninstall` from deleting them, and with them every LlamaDeployment.
 * @throws Error if the CRD holds what Helm would take for a template.
 */
function crdTemplate(crd: CustomResourceDefinition): GeneratedFile {
  const kept = { ...crd, metadata: { ...crd.metadata, annotations: { "helm.sh/resource-policy": "keep" } } };
  const yaml = stringify(kept, { lineWidth: 0 });
  if (yaml.includes("{{"))
    throw new Error(`the CRD ${crd.metadata.name} holds "{{", which Helm would expand`);
  return {
    path: `charts/llama-operator/templates/crds/${crd.spec.names.plural}.yaml`,
    content: `{{- /* Written by \`npm run generate\` from src/llama/api. Do not edit. */ -}}\n{{- if .Values.crds.install }}\n${yaml}{{- end }}\n`,
  };
}
