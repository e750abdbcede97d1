// Before the tests of the Pulumi programs: Pulumi and Helm, built where the cache lacks them, and a cluster on which
// nothing of the operator is installed yet.

import type { TestProject } from "vitest/node";
import { showBuildProgress } from "../../local/cluster/build/progress.ts";
import { buildPulumi } from "../../local/cluster/build/pulumi.ts";
import { followDevices } from "../../infra/testing/cloud-provider/devices.ts";
import { provided, testCluster } from "./test-cluster.ts";

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const programs = await buildPulumi({ onEvent: showBuildProgress(process.stderr) });
  const cluster = await testCluster("infra");
  project.provide("pulumiPrograms", programs);
  project.provide("localCluster", await provided(cluster));
  // The nodes of clouds' pools: their kubelets, as far as devices go.
  const ended = new AbortController();
  const following = followDevices(cluster.kubeconfigPath, ended.signal);
  return async () => {
    ended.abort();
    await following;
    await cluster.stop();
  };
}
