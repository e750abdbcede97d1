// The cluster of the test run as a test sees it: where it is, its kubectl, and a namespace per test.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { onTestFinished, inject } from "vitest";
import type { ClusterFacts } from "../../local/cluster/options.ts";

/** What global-setup.ts hands to the tests: plain data, because tests run in processes of their own. */
export interface ProvidedCluster extends ClusterFacts {
  readonly kubectl: readonly string[];
}

declare module "vitest" {
  interface ProvidedContext {
    readonly localCluster: ProvidedCluster;
  }
}

/** The cluster that all integration tests of a run share. */
export function sharedCluster(): ProvidedCluster {
  return inject("localCluster");
}

/**
 * Runs the cluster's kubectl, with `input` at its standard input.
 * @returns its standard output
 * @throws an error with what it said at its standard error
 */
export async function kubectl(
  cluster: Pick<ProvidedCluster, "kubectl">,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const [program, ...first] = cluster.kubectl;
  if (program === undefined) {
    throw new Error("the cluster has no kubectl");
  }
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...first, ...args],
      { maxBuffer: 64 * 2 ** 20 },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(stdout);
        } else {
          reject(new Error(`kubectl ${args.join(" ")}: ${stderr.trim()}`, { cause: error }));
        }
      },
    );
    child.stdin?.end(input);
  });
}

/** Registers what is done after a test; tests that run concurrently must hand in their own context's. */
export type CleanUp = (cleanUp: () => Promise<void>) => void;

/** A fresh namespace, deleted after the test without waiting for its end. */
export async function testNamespace(
  cluster: Pick<ProvidedCluster, "kubectl">,
  after: CleanUp = onTestFinished,
): Promise<string> {
  const name = `test-${randomBytes(4).toString("hex")}`;
  await kubectl(cluster, ["create", "namespace", name]);
  // Pods need it; the controller manager makes it a moment later.
  await kubectl(cluster, ["wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=20s"]);
  after(async () => {
    await kubectl(cluster, ["delete", "namespace", name, "--wait=false"]);
  });
  return name;
}
