// The serving side of a stack: plans every model first, and registers nothing where one cannot run.
import { RunError, log } from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { configurationOfStack } from "../config/from-pulumi.ts";
import { describeRefusals, planStack } from "../planning/plan-stack.ts";
import { platformOf } from "./platform.ts";
import { serve } from "./serving.ts";

const configuration = await configurationOfStack(import.meta.dirname);
const plan = planStack(configuration);
if (!plan.ok) throw new RunError(describeRefusals(plan.refusals));
const { leaderWorkerSet } = configuration;
if (!leaderWorkerSet.install) {
  await log.info(`LeaderWorkerSet is not installed by this stack: ${leaderWorkerSet.reason}`);
}

const cluster = platformOf(configuration);
const provider = new Provider("cluster", {
  kubeconfig: cluster.kubeconfig,
  context: cluster.context,
  // The text of a kubeconfig changes with every login; the cluster is another one where its server is.
  clusterIdentifier: cluster.server,
});

export const { models, gpus, operator } = serve(configuration, plan, provider);
