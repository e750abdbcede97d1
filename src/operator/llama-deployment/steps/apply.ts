// Makes the children what they should be: the revision first, then what pods lean on, then the workloads, then
// what is no longer wanted goes. Each write is safe to repeat, and a crash between two of them is made good by the
// next pass: nothing is remembered but in the objects themselves.
import { controllerOf, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import type { Applied, Applier, ApplyContext } from "@llama-operator/kube-runtime/apply";
import { childTypeOf } from "../../observed/kinds.ts";

/**
 * Applies objects side by side, and answers with those that could not be touched.
 * @throws the first failure, once every write has ended: none of a pass may land in the middle of the next one
 */
export async function applyAll(
  applier: Pick<Applier, "apply">,
  objects: readonly KubeObject[],
  context: ApplyContext,
): Promise<readonly Applied<KubeObject>[]> {
  return allEnded(objects.map(async (object) => applier.apply(childTypeOf(object), object, context)));
}

/** Deletes children of ours, each only while it is the one that was seen. @throws as {@link applyAll} */
export async function deleteAll(
  applier: Pick<Applier, "delete">,
  objects: readonly Live<KubeObject>[],
  uid: string,
  context: ApplyContext,
): Promise<void> {
  const ours = objects.filter((object) => controllerOf(object)?.uid === uid && !isLeaving(object));
  await allEnded(ours.map(async (object) => applier.delete(childTypeOf(object), object, context)));
}

async function allEnded<T>(writes: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(writes);
  return Promise.all(writes);
}

function isLeaving({ metadata }: Live<KubeObject>): boolean {
  return metadata.deletionTimestamp !== undefined;
}
