// A PriorityClass as the controllers see it: what the pods that name it are worth to the scheduler.
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";

export interface PriorityClass extends KubeObject {
  /** The higher, the sooner. */
  readonly value: number;
  /** Whether it is that of pods that name none. */
  readonly globalDefault: boolean;
}

/** Keeps the name, the value, and whether it is the default. */
export function projectPriorityClass(raw: Live<KubeObject>): Live<PriorityClass> {
  const { apiVersion, kind, metadata, ...fields } = raw as Live<KubeObject & Partial<PriorityClass>>;
  const { name, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion },
    value: fields.value ?? 0,
    globalDefault: fields.globalDefault ?? false,
  };
}
