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
 * The Deployment of a revision, or, with a slot, the LeaderWorkerSet of one of its replicas: `<name>-<8 hex>`. One of its
 * own for each placement that is not the revision's home.
 *
 * The uid is part of the hash, so that an object made anew under the same name never meets the workloads of its
 * predecessor while these are still being deleted. Length: a name of 40 characters gives 49. LeaderWorkerSet
 * appends `-0` for the leader and gives that name to the StatefulSet of the workers, whose pods carry
 * `<StatefulSet>-<10 characters>` as a label: 62 of the 63 that a label may have.
 */
export function workloadName(
  owner: Owner,
  { hash, placement }: { readonly hash: string; readonly placement?: string | undefined },
  slot?: number,
): string {
  const identity = [
    owner.uid,
    hash,
    ...(slot === undefined ? [] : [String(slot)]),
    ...(placement === undefined ? [] : ["placement", placement]),
  ].join("/");
  const suffix = createHash("sha256").update(identity).digest("hex").slice(0, 8);
  return `${owner.name}-${suffix}`;
}

/** `<name>-<8 hex>`, as {@link workloadName} writes it; of the StatefulSet of a group's workers with `-0` behind it. */
const workloadForm = /^(.+)-[0-9a-f]{8}$/;

/**
 * The Deployment or LeaderWorkerSet behind the controller of a pod, where its name is one of ours: a ReplicaSet is called
 * `<Deployment>-<hash>`, the StatefulSet of leaders as its LeaderWorkerSet, that of workers as their leader,
 * `<LeaderWorkerSet>-0`.
 */
export function workloadOfOwner({
  kind,
  name,
}: {
  readonly kind: string;
  readonly name: string;
}): string | undefined {
  if (kind !== "ReplicaSet" && kind !== "StatefulSet") return undefined;
  const last = name.lastIndexOf("-");
  const stem = name.slice(0, Math.max(0, last));
  if (kind === "ReplicaSet") return workloadForm.test(stem) ? stem : undefined;
  if (workloadForm.test(name)) return name;
  return name.endsWith("-0") && workloadForm.test(stem) ? stem : undefined;
}

/** The LlamaDeployment that a workload of this name was made for. */
export function ownerOfWorkload(name: string): string | undefined {
  return workloadForm.exec(name)?.[1];
}

/** Base URL of the OpenAI-compatible API, for `status.endpoint`. */
export function endpointUrl(owner: Owner): string {
  return `http://${serviceName(owner)}.${owner.namespace}.svc/v1`;
}
