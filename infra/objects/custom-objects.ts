// The stack's own kinds as objects: what Pulumi applies and what the rendered files hold is the same.
import { apiGroupVersion } from "@llama-operator/llama/api";
import type { ModelConfiguration } from "../config/model.ts";
import type { PoolConfiguration, Written } from "../config/pool.ts";

/** An object of one of the operator's kinds, its spec as a person would write it. */
export interface CustomObject<K extends "GpuPool" | "LlamaDeployment" = "GpuPool" | "LlamaDeployment"> {
  readonly apiVersion: typeof apiGroupVersion;
  readonly kind: K;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: Written;
}

/** The GpuPool of a pool, with exactly its facts. */
export function gpuPoolObject({ name, labels, written }: PoolConfiguration): CustomObject<"GpuPool"> {
  return {
    apiVersion: apiGroupVersion,
    kind: "GpuPool",
    metadata: { name, ...(Object.keys(labels).length === 0 ? {} : { labels }) },
    spec: written,
  };
}

/** The LlamaDeployment of a model. */
export function llamaDeploymentObject({
  name,
  namespace,
  writtenSpec,
}: ModelConfiguration): CustomObject<"LlamaDeployment"> {
  return {
    apiVersion: apiGroupVersion,
    kind: "LlamaDeployment",
    metadata: { name, namespace },
    spec: writtenSpec,
  };
}
