// What the tests of the Pulumi programs share: the executables, and an engine of a test's own.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, onTestFailed, onTestFinished } from "vitest";
import { chartsVariable, standInCharts } from "../../infra/testing/charts.ts";
import { pulumiEngine, type PulumiEngine, type RunResult } from "../../infra/testing/pulumi.ts";
import type { PulumiPrograms } from "../../local/cluster/build/pulumi.ts";
import { type CleanUp, sharedCluster } from "./cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly pulumiPrograms: PulumiPrograms;
  }
}

/**
 * An engine with a state of its own, which is gone after the test, or after what `after` registers with. Its clouds'
 * clusters are the one of the kubeconfig, or that which all tests share.
 */
export async function testEngine(
  after: CleanUp = onTestFinished,
  { kubeconfigPath }: { readonly kubeconfigPath: string } = sharedCluster(),
): Promise<PulumiEngine> {
  const homeDir = await mkdtemp(join(tmpdir(), "llama-operator-pulumi-"));
  after(async () => rm(homeDir, { recursive: true, force: true }));
  return pulumiEngine({
    programs: inject("pulumiPrograms"),
    homeDir,
    clouds: { kubeconfigPath },
    environment: { [chartsVariable]: standInCharts },
  });
}

/** A run whose output the report of a failed test shows. */
export async function ran(running: Promise<RunResult>): Promise<RunResult> {
  const result = await running;
  onTestFailed(() => console.error(result.output));
  return result;
}
