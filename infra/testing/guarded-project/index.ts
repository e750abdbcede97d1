// Pools behind their guard, for its test: the pools come from the configuration, and stand in the state as components,
// since the guard comes before any resource of theirs.

import { ComponentResource, Config, RunError } from "@pulumi/pulumi";
import { guardPools } from "../../guards/guard-pools.ts";

const config = new Config();
const fields = [
  { field: "taints", reason: "taints of a pool are fixed", source: "pulumi/pulumi-gcp issue 1139" },
  { field: "machineType", reason: "a machine keeps its type", source: "a page" },
];

const pools = config.requireObject<Readonly<Record<string, Readonly<Record<string, unknown>>>>>("pools");
const allowReplace = config.getObject<readonly string[]>("allowReplace");

export const poolRecords = await guardPools(
  Object.entries(pools).map(([name, args]) => ({ name, args, fields })),
  allowReplace,
);

export const made = Object.keys(pools).map((name) => new ComponentResource("guarded:index:Pool", name).urn);

if (config.getBoolean("failsLater") === true) throw new RunError("something else is wrong");
