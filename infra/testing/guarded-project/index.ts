// Pools behind their guard, for its test: the pools come from the configuration, and stand in the state as components,
// since no provider is there to make others.

import { ComponentResource, Config, RunError } from "@pulumi/pulumi";
import { guardPools } from "../../guards/guard-pools.ts";
import { modelsServed } from "../../platform/served-models.ts";

const config = new Config();
const fields = [
  { field: "taints", reason: "taints of a pool are fixed", source: "pulumi/pulumi-gcp issue 1139" },
  { field: "machineType", reason: "a machine keeps its type", source: "a page" },
];
const rollout = {
  fields: [{ field: "diskSizeGb", reason: "a node keeps its disk", source: "a page" }],
  pace: "one at a time",
};

interface Pool extends Readonly<Record<string, unknown>> {
  readonly nodeCount?: number;
}

const pools = config.requireObject<Readonly<Record<string, Pool>>>("pools");
const allowReplace = config.getObject<readonly string[]>("allowReplace");

const guard = await guardPools(
  Object.entries(pools).map(([name, args]) => ({ name, args, fields, rollout, nodes: args.nodeCount ?? 1 })),
  { served: modelsServed, ...(allowReplace === undefined ? {} : { allowReplace }) },
);

if (config.getBoolean("failsBefore") === true) throw new RunError("no pool today");

export const made = Object.keys(pools).map((name) => {
  const pool = new ComponentResource("guarded:index:Pool", name);
  guard.remember(name, pool);
  return pool.urn;
});

if (config.getBoolean("failsLater") === true) throw new RunError("something else is wrong");
