// Clusters that outlive the process that started them: found again by name, asked and stopped.

import { LocalClusterError } from "./errors.ts";
import type { ClusterStatus, LocalCluster } from "./options.ts";
import { stateFolder } from "./configuration/paths.ts";
import { readRecord } from "./record.ts";
import { runningCluster, stopSupervised } from "./running-cluster.ts";
import { Supervisor } from "./supervisor.ts";

/** A cluster by its name, or by its state folder where that was chosen. */
export type ClusterLocation = { readonly name: string } | { readonly stateDir: string };

function folderOf(location: ClusterLocation): string {
  return "stateDir" in location ? location.stateDir : stateFolder(location.name);
}

/**
 * The running cluster.
 * @throws LocalClusterError NotRunning
 */
export async function openCluster(location: ClusterLocation): Promise<LocalCluster> {
  const stateDir = folderOf(location);
  const supervisor = Supervisor.at(stateDir);
  await supervisor.status();
  return runningCluster(await readRecord(stateDir), supervisor);
}

/** What runs there; undefined where nothing does. */
export async function clusterStatus(location: ClusterLocation): Promise<ClusterStatus | undefined> {
  try {
    const cluster = await openCluster(location);
    return await cluster.status();
  } catch (error) {
    if (error instanceof LocalClusterError && error.code === "NotRunning") {
      return undefined;
    }
    throw error;
  }
}

/** Stops it and removes its state folder; false where none was running. */
export async function stopCluster(location: ClusterLocation): Promise<boolean> {
  const supervisor = Supervisor.at(folderOf(location));
  try {
    await supervisor.status();
  } catch (error) {
    if (error instanceof LocalClusterError && error.code === "NotRunning") {
      return false;
    }
    throw error;
  }
  await stopSupervised(supervisor, false);
  return true;
}
