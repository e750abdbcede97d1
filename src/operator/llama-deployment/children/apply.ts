// Writes of many children side by side. A pass ends only when all of its writes have: none may land in the middle of the
// next one.
import { controllerOf, isTerminating, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import type { Applied, Applier, ApplyContext } from "@llama-operator/kube-runtime/apply";
import { childTypeOf } from "../../observed/kinds.ts";

/**
 * Applies objects side by side, and answers with what became of each.
 * @throws the first failure, once every write has ended
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
  const ours = objects.filter((object) => controllerOf(object)?.uid === uid && !isTerminating(object));
  await allEnded(ours.map(async (object) => applier.delete(childTypeOf(object), object, context)));
}

/** Waits until every write has ended. @throws the first failure */
export async function allEnded<T>(writes: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(writes);
  return Promise.all(writes);
}
