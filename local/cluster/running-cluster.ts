// A cluster that runs, started by this process or another: what can be asked of it and done to it.

import { apiServer, kubectlCommand, leaderWorkerSet } from "./configuration/commands.ts";
import { clusterClient } from "./client.ts";
import { LocalClusterError } from "./errors.ts";
import { clusterFacts, type ClusterLayout } from "./configuration/layout.ts";
import {
  installDefinitions,
  installWebhooks,
  readManifests,
  removeDefinitions,
  removeWebhooks,
} from "./leader-worker-set.ts";
import { logsTail } from "./logs.ts";
import type { ClusterProcess, ClusterStatus, LocalCluster } from "./options.ts";
import { untilAnswers } from "./readiness.ts";
import type { ClusterRecord } from "./record.ts";
import type { Supervisor } from "./supervisor.ts";

/** How long one change of a running cluster may take. */
const changeTimeoutMs = 60_000;

const defaultTailLines = 20;

export function runningCluster(record: ClusterRecord, supervisor: Supervisor): LocalCluster {
  const { layout, programs, audit } = record;
  const facts = clusterFacts(layout, audit);
  const limit = () => deadline(changeTimeoutMs, supervisor.ended);

  return {
    ...facts,
    kubectl: kubectlCommand(programs, layout),

    async status(): Promise<ClusterStatus> {
      const { pid, processes } = await supervisor.status();
      return { facts, supervisorPid: pid, processes };
    },

    startProcess: async (process) => startProcess(supervisor, process, layout, limit()),

    stopProcess: async (name) => supervisor.stopProcess(name),

    async restartApiServer(): Promise<void> {
      const process = apiServer(programs, layout, audit);
      await supervisor.stopProcess(process.name);
      await startProcess(supervisor, process, layout, limit());
    },

    installLeaderWorkerSet: async () => installLeaderWorkerSet(record, supervisor, limit()),

    async removeLeaderWorkerSet(): Promise<void> {
      const signal = limit();
      const manifests = await readManifests(programs);
      await using connection = await clusterClient(layout.kubeconfigs.admin);
      // While the controller runs, so that it can end what its objects still own.
      await removeWebhooks(connection.client, manifests);
      await removeDefinitions(connection.client, manifests, signal);
      await supervisor.stopProcess(leaderWorkerSet(programs, layout).name);
    },

    logsTail: async (lines = defaultTailLines) => logsTail(layout.files.logs, lines),

    stop: async (options = {}) => stopSupervised(supervisor, options.keepState === true),
  };
}

/** CRDs, then the controller, then the webhooks that lead to it. */
export async function installLeaderWorkerSet(
  { layout, programs }: ClusterRecord,
  supervisor: Supervisor,
  signal: AbortSignal,
): Promise<void> {
  const manifests = await readManifests(programs);
  await using connection = await clusterClient(layout.kubeconfigs.admin);
  await installDefinitions(connection.client, manifests, signal);
  await startProcess(supervisor, leaderWorkerSet(programs, layout), layout, signal);
  await installWebhooks(connection.client, manifests, layout, signal);
}

/** Starts a process and waits for its readyUrl, where it has one. */
export async function startProcess(
  supervisor: Supervisor,
  process: ClusterProcess,
  layout: ClusterLayout,
  signal: AbortSignal,
): Promise<void> {
  await supervisor.startProcess(process);
  if (process.readyUrl !== undefined) {
    await untilAnswers(process.readyUrl, layout.pki.caFile, signal);
  }
}

/** Stops what runs there; not to be running is as good. */
export async function stopSupervised(supervisor: Supervisor, keepState: boolean): Promise<void> {
  try {
    await supervisor.shutdown(keepState);
  } catch (error) {
    if (!(error instanceof LocalClusterError && error.code === "NotRunning")) {
      throw error;
    }
  }
}

/** Aborted after a time, and as soon as one of the others is. */
export function deadline(timeoutMs: number, ...others: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(timeoutMs), ...others.filter((other) => other !== undefined)]);
}
