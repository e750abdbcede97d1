// The serving side of a stack as plain YAML for a GitOps controller, from the objects that Pulumi applies. Files by
// path and text, byte for byte the same for the same configuration. Pure.
//
// Two folders, because the kinds must be there before the first object of them: `add-ons` (charts, by Flux or Argo CD)
// and `models` (pools and models), which is to depend on the first.
import { stringify } from "yaml";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import { gpuPoolObject, llamaDeploymentObject } from "../objects/custom-objects.ts";
import { namespaceObject, restrictedLabels } from "../objects/namespaces.ts";
import { leaderWorkerSetRelease, operatorRelease } from "../objects/releases.ts";
import type { ChartRelease } from "../objects/releases.ts";
import { argoApplication } from "./argo.ts";
import type { GitSource } from "./argo.ts";
import { volumeObject } from "../objects/volumes.ts";
import { fluxObjects } from "./flux.ts";

export interface RenderedFile {
  /** From the folder that is rendered to, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** The GitOps controller that is to apply the files. */
export type GitOpsController =
  | { readonly kind: "flux" }
  /** Argo CD cannot refer to a repository by a name, as Flux can. */
  | { readonly kind: "argo"; readonly repository: GitSource };

/** Renders a stack. Secrets are named, never held: a LlamaDeployment refers to them, as in the cluster. */
export function renderStack(
  configuration: StackConfiguration,
  controller: GitOpsController = { kind: "flux" },
): readonly RenderedFile[] {
  const { operator, leaderWorkerSet, pools, models, namespaces, volumes } = configuration;
  const lws = leaderWorkerSet.install ? leaderWorkerSetRelease() : undefined;
  const addOns = [
    ...(lws === undefined
      ? []
      : [
          file("leader-worker-set", [
            namespaceObject(lws.namespace),
            ...releaseObjects(controller, lws, undefined),
          ]),
        ]),
    file("llama-operator", [
      namespaceObject(operator.namespace, restrictedLabels),
      ...releaseObjects(controller, operatorRelease(operator), lws),
    ]),
  ];
  const served = [
    ...namespaces.map(({ name, labels }) => file(`namespace-${name}`, [namespaceObject(name, labels)])),
    ...volumes.map((each) => file(`volume-${each.namespace}-${each.name}`, [volumeObject(each)])),
    ...pools.map((pool) => file(`gpu-pool-${pool.name}`, [gpuPoolObject(pool)])),
    ...models.map((model) => file(`model-${model.namespace}-${model.name}`, [llamaDeploymentObject(model)])),
  ];
  return [...folder("add-ons", addOns), ...folder("models", served)];
}

/** A release that comes after `needed`, in the controller's words. */
function releaseObjects(
  controller: GitOpsController,
  release: ChartRelease,
  needed: ChartRelease | undefined,
): readonly object[] {
  switch (controller.kind) {
    case "flux":
      return fluxObjects(release, needed);
    case "argo":
      return [argoApplication(release, needed === undefined ? 0 : 1, controller.repository)];
    default:
      return controller satisfies never;
  }
}

function folder(name: string, files: readonly RenderedFile[]): readonly RenderedFile[] {
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: files.map(({ path }) => path),
  };
  return [file("kustomization", [kustomization]), ...files].map(({ path, text }) => ({
    path: `${name}/${path}`,
    text,
  }));
}

const heading = "# Written by `npm run infra -- render`; change the stack's configuration, not this file.\n";

function file(name: string, objects: readonly object[]): RenderedFile {
  const documents = objects.map((object) =>
    stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  return { path: `${name}.yaml`, text: `${heading}${documents.join("---\n")}` };
}
