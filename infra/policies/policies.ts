// The policies of the pack, as Pulumi takes them. A pool is judged before it is made, by its inputs; what needs other
// resources too is judged once the whole stack is known: at the end of a preview.
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { gpuNodePool } from "./pools.ts";
import type { GpuNodePool } from "./gpu-node-pool.ts";
import { Properties } from "./properties.ts";
import { fabricInOneZone, noSpot, noSurgeOfBought, protectBought, repairNodes, taintGpus } from "./rules.ts";
import type { PoolRule } from "./rules.ts";

type StackResource = Parameters<StackValidationPolicy["validateStack"]>[0]["resources"][number];
type Policy = ResourceValidationPolicy | StackValidationPolicy;

/** What each policy can be told in the file that `--policy-pack-config` names. */
interface PolicyConfiguration {
  readonly pools?: readonly string[];
  readonly maxGpus?: number;
}

/** A pool of the stack, with what it depends on. */
function poolInStack({ type, props, dependencies }: StackResource): GpuNodePool | undefined {
  const related = dependencies.map((each) => ({ type: each.type, properties: new Properties(each.props) }));
  const pool = gpuNodePool({ type, properties: new Properties(props), related });
  return pool === "later" ? undefined : pool;
}

/** A rule for each pool. */
function poolPolicy(
  name: string,
  description: string,
  rule: PoolRule,
  configSchema?: ResourceValidationPolicy["configSchema"],
): ResourceValidationPolicy & StackValidationPolicy {
  const judged = (
    pool: GpuNodePool | "later" | undefined,
    poolName: string,
    protect: boolean,
    spotPools: readonly string[] = [],
  ) =>
    pool === undefined || pool === "later" ? undefined : rule(pool, { name: poolName, protect, spotPools });
  return {
    name,
    description,
    ...(configSchema === undefined ? {} : { configSchema }),
    validateResource: (args, report) => {
      const pool = gpuNodePool({ type: args.type, properties: new Properties(args.props) });
      const { pools } = args.getConfig<PolicyConfiguration>();
      const wrong = judged(pool, args.name, args.opts.protect, pools);
      if (wrong !== undefined) report(wrong);
    },
    validateStack: (args, report) => {
      const { pools } = args.getConfig<PolicyConfiguration>();
      for (const resource of args.resources) {
        const alone = gpuNodePool({ type: resource.type, properties: new Properties(resource.props) });
        if (alone !== "later") continue;
        const wrong = judged(poolInStack(resource), resource.name, resource.opts.protect, pools);
        if (wrong !== undefined) report(wrong, resource.urn);
      }
    },
  };
}

const privateNodes: StackValidationPolicy = {
  name: "private-gpu-nodes",
  description: "Nodes with GPUs have no public address.",
  validateStack: ({ resources }, report) => {
    for (const resource of resources) {
      const pool = poolInStack(resource);
      if (pool?.privateNodes !== false) continue;
      report(`its nodes may have public addresses: write ${pool.argumentNames.privateNodes}`, resource.urn);
    }
  },
};

const gpuLimit: StackValidationPolicy = {
  name: "gpu-limit",
  description: "All pools of a stack together can have no more GPUs than maxGpus; without it any number.",
  configSchema: {
    properties: { maxGpus: { type: "integer", minimum: 0 } },
  },
  validateStack: (args, report) => {
    const { maxGpus } = args.getConfig<PolicyConfiguration>();
    if (maxGpus === undefined) return;
    let gpus = 0;
    const parts: string[] = [];
    for (const resource of args.resources) {
      const pool = poolInStack(resource);
      if (pool === undefined) continue;
      if (pool.gpusPerNode === undefined || pool.nodesAtMost === undefined) {
        report("its GPUs cannot be counted: it must say its machine, and its nodes at most", resource.urn);
        continue;
      }
      const most = pool.gpusPerNode * pool.nodesAtMost;
      gpus += most;
      parts.push(`${resource.name} ${most}`);
    }
    if (gpus > maxGpus) {
      // Resources come in the order in which they happened to be registered.
      const named = parts.toSorted().join(", ");
      report(`the stack can have ${gpus} GPUs (${named}), and may have ${maxGpus} at most`);
    }
  },
};

const explicitProviders: ResourceValidationPolicy = {
  name: "explicit-providers",
  description:
    "Every resource names its provider: a default one takes whichever account or cluster a shell points at.",
  validateResource: ({ provider }, report) => {
    // Pulumi's own names of them: pkg/resource/deploy/providers/registry.go, IsDefaultProvider.
    if (provider !== undefined && /^default(?:_|$)/.test(provider.name)) {
      report(
        "it has a default provider: pass one in its options, and set pulumi:disable-default-providers to refuse others",
      );
    }
  },
};

export const policies: readonly Policy[] = [
  poolPolicy(
    "protected-bought-capacity",
    "Pools of reserved or bought capacity are protected.",
    protectBought,
  ),
  poolPolicy(
    "no-surge-of-bought-capacity",
    "Pools of reserved or bought capacity are upgraded without nodes beside the old ones.",
    noSurgeOfBought,
  ),
  poolPolicy("tainted-gpu-pools", "Pools with GPUs have a taint.", taintGpus),
  poolPolicy("fabric-in-one-zone", "Pools with a network between GPUs lie in one zone.", fabricInOneZone),
  poolPolicy("no-spot-gpus", "Pools with GPUs are not of spot capacity, but for those in pools.", noSpot, {
    properties: { pools: { type: "array", items: { type: "string" }, default: [] } },
  }),
  poolPolicy("repaired-gpu-nodes", "Pools with GPUs repair their nodes.", repairNodes),
  privateNodes,
  gpuLimit,
  explicitProviders,
];
