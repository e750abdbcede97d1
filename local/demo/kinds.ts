// The kinds that the demo reads through the API server, as any client would.
import type { IPod } from "kubernetes-models/v1/Pod";
import type { LlamaDeployment } from "@llama-operator/llama/api";
import { type KubeObject, resourceType } from "@llama-operator/kube-runtime/client";

export type { LlamaDeployment } from "@llama-operator/llama/api";

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
