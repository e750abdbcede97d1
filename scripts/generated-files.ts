// Every file of the repository that is written from src/llama/api, as path and content: one function serves the writer,
// its --check and the test that fails when a file is stale.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { type CustomResourceDefinition, gpuPoolCrd, llamaDeploymentCrd } from "@llama-operator/llama/api";
import { referencePage } from "./reference-page.ts";

export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly content: string;
}

/** All generated files of the repository at `root`; the reference pages open with manifests of its `examples/`. */
export async function generatedFiles(root: string): Promise<readonly GeneratedFile[]> {
  const example = (name: string) => readFile(join(root, "examples", name), "utf8");
  const llamaDeployment = llamaDeploymentCrd();
  const gpuPool = gpuPoolCrd();
  return [
    crdTemplate(llamaDeployment),
    crdTemplate(gpuPool),
    {
      path: "docs/reference/llamadeployment.md",
      content: referencePage(llamaDeployment, await example("llama-8b.yaml")),
    },
    {
      path: "docs/reference/gpupool.md",
      content: referencePage(gpuPool, await example("gpu-pool-h100.yaml")),
    },
  ];
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
