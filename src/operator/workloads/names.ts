// Names of the objects that a LlamaDeployment becomes. Deterministic, so that a create that was sent twice fails
// safely; short enough that what other controllers append to them still fits into a label of 63 characters.
import { createHash } from "node:crypto";

/** The LlamaDeployment that objects are made for. */
export interface Owner {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

/** The Service that applications call: `http://<name>.<namespace>.svc`. */
export function serviceName(owner: Owner): string {
  return owner.name;
}

/** The ServiceAccount that pods run as where the spec names none. */
export function serviceAccountName(owner: Owner): string {
  return owner.name;
}

export function podDisruptionBudgetName(owner: Owner): string {
  return owner.name;
}

/** The ControllerRevision that holds the revision with this hash. */
export function controllerRevisionName(owner: Pick<Owner, "name">, revision: string): string {
  return `${owner.name}-${revision}`;
}

/**
 * The Deployment of a revision, or, with a slot, the LeaderWorkerSet of one of its replicas: `<name>-<8 hex>`.
 *
 * The uid is part of the hash, so that an object made anew under the same name never meets the workloads of its
 * predecessor while these are still being deleted. Length: a name of 40 characters gives 49. LeaderWorkerSet
 * appends `-0` for the leader and gives that name to the StatefulSet of the workers, whose pods carry
 * `<StatefulSet>-<10 characters>` as a label: 62 of the 63 that a label may have.
 */
export function workloadName(owner: Owner, revision: string, slot?: number): string {
  const identity = [owner.uid, revision, ...(slot === undefined ? [] : [String(slot)])].join("/");
  const suffix = createHash("sha256").update(identity).digest("hex").slice(0, 8);
  return `${owner.name}-${suffix}`;
}

/** Base URL of the OpenAI-compatible API, for `status.endpoint`. */
export function endpointUrl(owner: Owner): string {
  return `http://${serviceName(owner)}.${owner.namespace}.svc/v1`;
}
