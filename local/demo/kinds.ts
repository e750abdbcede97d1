// The kinds that the demo reads through the API server, as any client would.
import type { IPod } from "kubernetes-models/v1/Pod";
import type { LlamaDeployment } from "../../src/api/resources.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { resourceType } from "../../src/kube/resource.ts";

export type { LlamaDeployment } from "../../src/api/resources.ts";

const llamaOperator = { group: "llama-operator.dev", version: "v1alpha1" } as const;

export const llamaDeployments = resourceType<LlamaDeployment & KubeObject>({
  ...llamaOperator,
  kind: "LlamaDeployment",
  plural: "llamadeployments",
  namespaced: true,
});

type PodParts = Pick<IPod, "spec" | "status">;

export type Pod = KubeObject & PodParts;

export const pods = resourceType<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
});
