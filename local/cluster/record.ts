// What a cluster leaves in its state folder for later processes: enough to speak to it and to stop it.

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { BuiltPrograms } from "./build/build.ts";
import { LocalClusterError } from "./errors.ts";
import type { ClusterLayout } from "./configuration/layout.ts";

/** Raised when a record changes in a way that older readers would misread. */
const recordVersion = 2;

export interface ClusterRecord {
  readonly version: number;
  readonly layout: ClusterLayout;
  readonly programs: BuiltPrograms;
  readonly audit: boolean;
}

export function newRecord(layout: ClusterLayout, programs: BuiltPrograms, audit: boolean): ClusterRecord {
  return { version: recordVersion, layout, programs, audit };
}

/** Written when the cluster is ready, whole or not at all. */
export async function writeRecord(record: ClusterRecord): Promise<void> {
  const path = record.layout.files.record;
  await writeFile(`${path}.new`, JSON.stringify(record, undefined, 2), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** @throws LocalClusterError NotRunning when there is none, InvalidOptions when another version wrote it */
export async function readRecord(stateDir: string): Promise<ClusterRecord> {
  const text = await readFile(join(stateDir, "cluster.json"), "utf8").catch((cause: unknown) => {
    throw new LocalClusterError("NotRunning", `no local cluster is ready in ${stateDir}`, { cause });
  });
  const record = JSON.parse(text) as ClusterRecord;
  if (record.version !== recordVersion) {
    throw new LocalClusterError(
      "InvalidOptions",
      `the local cluster in ${stateDir} was started by another version of this program: stop it and start a new one`,
    );
  }
  return record;
}
