// Chart releases as facts: what helm.v3.Release is told, and what the rendered files say to a GitOps controller.
import { leaderWorkerSet, leaderWorkerSetNamespace, llamaOperator } from "../add-ons.ts";
import type { AddOn } from "../add-ons.ts";
import type { OperatorConfiguration } from "../config/operator.ts";

export interface ChartRelease {
  readonly addOn: AddOn;
  readonly namespace: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * The operator's image on the local cluster: no image at all, but the name under which its simulated kubelet starts
 * this checkout's own sources.
 */
export const localOperatorImage = "llama-operator.dev/local";

/** The operator's release. */
export function operatorRelease(
  { namespace, replicas, image = localOperatorImage, values }: OperatorConfiguration,
  addOn: AddOn = llamaOperator,
): ChartRelease {
  const further = (values["operator"] ?? {}) as Readonly<Record<string, unknown>>;
  return {
    addOn,
    namespace,
    values: { ...addOn.values, ...values, operator: { ...further, image, replicas } },
  };
}

/** LeaderWorkerSet's release. */
export function leaderWorkerSetRelease(addOn: AddOn = leaderWorkerSet): ChartRelease {
  return { addOn, namespace: leaderWorkerSetNamespace, values: addOn.values };
}
