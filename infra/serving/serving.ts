// What serves: LeaderWorkerSet, the operator, a GpuPool for each pool and a LlamaDeployment for each model, in the
// order in which they need each other, which is also the order, reversed, in which they go.
import { output } from "@pulumi/pulumi";
import type { Output, ProviderResource } from "@pulumi/pulumi";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim.js";
import { GpuPoolResource } from "../components/gpu-pool.ts";
import { LeaderWorkerSetAddOn } from "../components/leader-worker-set.ts";
import { LlamaModel } from "../components/llama-model.ts";
import { LlamaOperator } from "../components/llama-operator.ts";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import { namespaceObject } from "../objects/namespaces.ts";
import { volumeObject } from "../objects/volumes.ts";
import type { PlannedModel, PoolUse } from "../planning/plan-stack.ts";

/** What a person reads of a model after `up`. */
export interface ModelOutput {
  /** The plan in one line. */
  readonly plan: string;
  readonly pool: string;
  readonly gpus: number;
  readonly waitedFor: PlannedModel["wait"];
  /** Base URL of its OpenAI-compatible API inside the cluster. */
  readonly endpoint: Output<string>;
}

export interface ServingOutputs {
  /** By namespace and name. */
  readonly models: Readonly<Record<string, ModelOutput>>;
  /** By pool: GPUs that the models need, that there may be at most, and that are left of those. */
  readonly gpus: Readonly<Record<string, Omit<PoolUse, "pool">>>;
  readonly operator: { readonly namespace: string; readonly chartVersion: Output<string> };
}

export interface ServingPlan {
  readonly models: readonly PlannedModel[];
  readonly pools: readonly PoolUse[];
}

/** Registers everything of the serving project on the cluster of `provider`. */
export function serve(
  configuration: StackConfiguration,
  plan: ServingPlan,
  provider: ProviderResource,
): ServingOutputs {
  const leaderWorkerSet = configuration.leaderWorkerSet.install
    ? [new LeaderWorkerSetAddOn("leader-worker-set", {}, { provider })]
    : [];
  const operator = new LlamaOperator(
    "llama-operator",
    { operator: configuration.operator, secretValues: configuration.secretChartValues ?? false },
    { provider, dependsOn: leaderWorkerSet },
  );
  const pools = configuration.pools.map(
    (pool) => new GpuPoolResource(pool.name, { pool }, { provider, dependsOn: [operator] }),
  );
  const namespaces = configuration.namespaces.map(
    ({ name, labels }) => new Namespace(`namespace-${name}`, namespaceObject(name, labels), { provider }),
  );
  const volumes = configuration.volumes.map((volume) => {
    const object = volumeObject(volume);
    // A claim of a class that binds late is pending until a pod comes: nothing to wait for.
    const annotations = { "pulumi.com/skipAwait": "true" };
    return new PersistentVolumeClaim(
      `volume-${volume.namespace}-${volume.name}`,
      { ...object, metadata: { ...object.metadata, annotations } },
      { provider, dependsOn: namespaces, protect: volume.protect },
    );
  });
  const models = plan.models.map((planned) => ({
    planned,
    resource: new LlamaModel(
      `${planned.model.namespace}-${planned.model.name}`,
      { planned },
      { provider, dependsOn: [operator, ...pools, ...namespaces, ...volumes] },
    ),
  }));
  return {
    models: Object.fromEntries(
      models.map(({ planned, resource }) => [
        `${planned.model.namespace}/${planned.model.name}`,
        {
          plan: planned.summary,
          pool: planned.plan.pool,
          gpus: planned.gpus,
          waitedFor: planned.wait,
          endpoint: resource.endpoint,
        },
      ]),
    ),
    gpus: Object.fromEntries(plan.pools.map(({ pool, ...use }) => [pool, use])),
    operator: { namespace: configuration.operator.namespace, chartVersion: output(operator.version) },
  };
}
