// Pools of GPUs that the policy pack is to judge: the configuration says what is right or wrong with them. A stack
// that uses nothing else of the projects.

import { Cluster } from "@pulumi/gcp/container/cluster.js";
import { NodePool } from "@pulumi/gcp/container/nodePool.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import { Provider } from "@pulumi/gcp/provider.js";
import { Config } from "@pulumi/pulumi/config.js";

const config = new Config();
const location = "us-central1";
const google = { project: "test-project", region: location };
const options =
  config.getBoolean("defaultProvider") === true ? {} : { provider: new Provider("google", google) };

const cluster = new Cluster(
  "cluster",
  {
    name: config.require("name"),
    ...google,
    location,
    initialNodeCount: 1,
    deletionProtection: false,
    privateClusterConfig: { enablePrivateNodes: config.requireBoolean("privateNodes") },
  },
  options,
);

const pools = config.requireObject<Readonly<Record<string, Omit<NodePoolArgs, "cluster">>>>("pools");
export const made = Object.entries(pools).map(
  ([name, args]) =>
    new NodePool(
      name,
      { name, cluster: cluster.id, location, ...args },
      { ...options, protect: config.getBoolean("protect") ?? false },
    ).name,
);
