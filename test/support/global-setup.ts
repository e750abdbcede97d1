// Before the integration tests: one cluster for the whole run, with the operator.

import type { TestProject } from "vitest/node";
import { installKinds } from "./kinds.ts";
import { operatorProcess } from "./operator.ts";
import { provided, testCluster } from "./test-cluster.ts";

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await testCluster("integration");
  await installKinds(cluster);
  await cluster.startProcess(operatorProcess(cluster));
  project.provide("localCluster", await provided(cluster));
  return async () => cluster.stop();
}
