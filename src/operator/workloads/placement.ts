// Where pods of a revision are placed. A revision is rendered for the pool of its plan, its home; where the pool asks
// something else of pods by now, or another pool takes its place, further pods come from a workload of their own with the
// same templates but for what a pool decides: selector, tolerations, resources. So what serves stays as it is.
import { createHash } from "node:crypto";
import type { IPodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
import { canonicalJson } from "@llama-operator/llama/api";
import type { Plan } from "@llama-operator/llama/planning";
import { placementLabel } from "./labels.ts";
import { engineContainerName, poolSpec, resources } from "./pod/pod-template.ts";
import { sharedMemory } from "./pod/volumes.ts";
import type { RevisionData } from "./revision.ts";

/** What a pool decides of pods. */
export type Placement = Pick<Plan, "pool" | "nodeSelector" | "tolerations" | "pod"> & {
  /** RFC 3339; since when further pods go there, if not from the beginning. */
  readonly since?: string | undefined;
};

export function placementOf({ pool, nodeSelector, tolerations, pod }: Plan): Placement {
  return { pool, nodeSelector, tolerations, pod };
}

/** Whether pods of both are alike; the name of a pool is on no pod. */
export function sameOnPods(one: Placement, other: Placement): boolean {
  return keyOf(one) === keyOf(other);
}

/** Eight hex digits for what is on the pods; the value of the placement label. */
function keyOf({ nodeSelector, tolerations, pod }: Placement): string {
  return createHash("sha256")
    .update(canonicalJson({ nodeSelector, tolerations, pod }))
    .digest("hex")
    .slice(0, 8);
}

/** A revision as it is stored, with further pods placed there. */
export function placedAt(stored: RevisionData, placement: Placement): RevisionData {
  if (sameOnPods(placementOf(stored.plan), placement)) {
    return { ...stored, plan: { ...stored.plan, pool: placement.pool } };
  }
  const key = keyOf(placement);
  const plan = { ...stored.plan, ...placement };
  const { serving, worker } = stored.templates;
  const moved = (template: IPodTemplateSpec): IPodTemplateSpec => movedTemplate(template, plan, key);
  return {
    ...stored,
    placement: key,
    plan,
    templates: { serving: moved(serving), ...(worker && { worker: moved(worker) }) },
  };
}

function movedTemplate(
  { metadata, spec, ...template }: IPodTemplateSpec,
  plan: Plan,
  key: string,
): IPodTemplateSpec {
  if (spec === undefined) return template;
  const { nodeSelector: _, tolerations: __, ...rest } = spec;
  const { volume } = sharedMemory(plan);
  return {
    ...template,
    metadata: { ...metadata, labels: { ...metadata?.labels, [placementLabel]: key } },
    spec: {
      ...rest,
      ...poolSpec(plan),
      containers: spec.containers.map((container) =>
        container.name === engineContainerName ? { ...container, resources: resources(plan) } : container,
      ),
      ...(spec.volumes && {
        volumes: spec.volumes.map((each) => (each.name === volume.name ? volume : each)),
      }),
    },
  };
}
