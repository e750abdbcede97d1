// Starts a whole Kubernetes cluster on this machine, without containers: etcd, API server, controller manager,
// scheduler, KWOK for the nodes and the LeaderWorkerSet controller, each a process under one supervisor.
//
// Guarantees
// - Any number of clusters run side by side: each has its own state folder and its own loopback addresses.
// - An attached cluster ends with the process that started it, however that ends; a detached one with stopCluster.
// - A start that fails leaves no process, and leaves the logs where its error says.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";

import { resourceType } from "@llama-operator/kube-runtime/client";
import { buildPrograms, type BuiltPrograms } from "./build/build.ts";
import { clusterClient } from "./client.ts";
import { apiServer, controllerManager, etcd, kwok, scheduler } from "./configuration/commands.ts";
import { writeConfiguration } from "./configuration/files.ts";
import { LocalClusterError } from "./errors.ts";
import {
  clusterFacts,
  clusterLayout,
  type ClusterLayout,
  controlPlaneAddress,
  preferredPorts,
} from "./configuration/layout.ts";
import { logsTail } from "./logs.ts";
import type { ClusterOptions, ClusterProcess, LocalCluster } from "./options.ts";
import { checkedName, stateFolder } from "./configuration/paths.ts";
import { freePorts } from "./configuration/ports.ts";
import { untilSucceeds } from "./readiness.ts";
import { newRecord, writeRecord } from "./record.ts";
import {
  deadline,
  installLeaderWorkerSet,
  runningCluster,
  startProcess,
  stopSupervised,
} from "./running-cluster.ts";
import { Supervisor } from "./supervisor.ts";

const defaultStartTimeoutSeconds = 90;

/** The name of a cluster whose caller gives none. */
export const defaultClusterName = "default";

/** How many lines of each unready program's log the error of a failed start carries. */
const failureTailLines = 15;

/**
 * Builds what is missing, starts a cluster and returns when it is ready to be used.
 * @throws LocalClusterError; the signal's reason when it is aborted
 */
export async function startCluster(options: ClusterOptions = {}): Promise<LocalCluster> {
  checkPlatform(process.platform);
  const name = checkedName(options.name ?? defaultClusterName);
  const stateDir = options.stateDir ?? stateFolder(name);
  const { signal } = options;
  const programs = await buildPrograms({ onEvent: options.onEvent, signal });
  signal?.throwIfAborted();
  const { supervisor, addressBlock } = await Supervisor.start(programs, stateDir, options.detached === true);
  const waiting = new Set<string>();
  try {
    const limit = deadline(
      (options.startTimeoutSeconds ?? defaultStartTimeoutSeconds) * 1000,
      signal,
      supervisor.ended,
    );
    const layout = await prepare(name, stateDir, addressBlock, programs, options);
    await startPrograms(layout, programs, supervisor, options, waiting, limit);
    const record = newRecord(layout, programs, options.audit === true);
    await writeRecord(record);
    return runningCluster(record, supervisor);
  } catch (error) {
    if (signal?.aborted === true) {
      await stopSupervised(supervisor, false);
      throw signal.reason;
    }
    const logs = await logsTail(join(stateDir, "logs"), failureTailLines, [...waiting]);
    await stopSupervised(supervisor, true);
    throw startError(error, [...waiting], stateDir, logs);
  }
}

/** Addresses 127.x.y.z without set-up, parent-death signals and abstract sockets are Linux's. */
function checkPlatform(platform: NodeJS.Platform): void {
  if (platform !== "linux") {
    throw new LocalClusterError(
      "UnsupportedPlatform",
      `The local cluster runs on Linux, and this is ${platform}: use a Linux container or virtual machine, or point KUBECONFIG at a cluster of your own.`,
    );
  }
}

/** Keys and configuration files. */
async function prepare(
  name: string,
  stateDir: string,
  addressBlock: string,
  programs: BuiltPrograms,
  options: ClusterOptions,
): Promise<ClusterLayout> {
  const address = controlPlaneAddress(addressBlock);
  const layout = clusterLayout(name, stateDir, addressBlock, await freePorts(address, preferredPorts));
  await promisify(execFile)(join(programs.supervisor, "supervisor"), [
    "certs",
    layout.pki.directory,
    address,
  ]);
  await writeConfiguration(layout, {
    scheduling: options.scheduling ?? "pack",
    pods: options.pods ?? "simulated-kubelet",
  });
  return layout;
}

/** Starts everything in as few waits as the programs allow; `waiting` holds those that are not ready yet. */
async function startPrograms(
  layout: ClusterLayout,
  programs: BuiltPrograms,
  supervisor: Supervisor,
  options: ClusterOptions,
  waiting: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  const awaited = async (program: string, ready: () => Promise<void>) => {
    waiting.add(program);
    await ready();
    waiting.delete(program);
    options.onEvent?.({ kind: "ready", program, elapsedSeconds: (performance.now() - began) / 1000 });
  };
  const start = async (process: ClusterProcess) =>
    awaited(process.name, async () => startProcess(supervisor, process, layout, signal));

  const server = apiServer(programs, layout, options.audit === true);
  await supervisor.startProcess(etcd(programs, layout));
  await start(server);

  const beside = options.processes?.(clusterFacts(layout, options.audit === true)) ?? [];
  await Promise.all([
    start(controllerManager(programs, layout)),
    start(scheduler(programs, layout)),
    start(kwok(programs, layout)),
    ...(options.leaderWorkerSet === false
      ? []
      : [
          awaited("leader-worker-set", async () =>
            installLeaderWorkerSet(newRecord(layout, programs, false), supervisor, signal),
          ),
        ]),
    ...beside.map(start),
    defaultServiceAccount(layout, signal),
  ]);
}

/** Without it the API server refuses pods; the controller manager makes it. */
async function defaultServiceAccount(layout: ClusterLayout, signal: AbortSignal): Promise<void> {
  const type = resourceType({
    group: "",
    version: "v1",
    kind: "ServiceAccount",
    plural: "serviceaccounts",
    namespaced: true,
  });
  await using connection = await clusterClient(layout.kubeconfigs.admin);
  await untilSucceeds(
    async () => connection.client.get(type, { namespace: "default", name: "default" }, { signal }),
    signal,
  );
}

function startError(
  cause: unknown,
  waiting: readonly string[],
  stateDir: string,
  logs: string,
): LocalClusterError {
  const unready = waiting.length === 0 ? "" : ` (not ready: ${waiting.join(", ")})`;
  const code = cause instanceof LocalClusterError ? cause.code : "StartFailed";
  return new LocalClusterError(
    code,
    `${reasonOf(cause)}${unready}; its files are kept in ${stateDir}\n${logs}`,
    { cause },
  );
}

function reasonOf(cause: unknown): string {
  if (cause instanceof LocalClusterError) {
    return cause.message;
  }
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    const last = cause.cause instanceof Error ? `, last: ${cause.cause.message}` : "";
    return `the local cluster was not ready in time${last}`;
  }
  return `the local cluster did not start: ${cause instanceof Error ? cause.message : String(cause)}`;
}
