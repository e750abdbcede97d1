// Objects whose last pass ended in a wait for room, a pool, or a name: what a change of nodes, pools or other
// people's objects wakes. All others are woken by their own children alone.
import {
  objectKey,
  parseObjectKey,
  type KubeObject,
  type Live,
  type ObjectRef,
} from "@llama-operator/kube-runtime/client";

export class Waiters {
  readonly #waiting = new Set<string>();

  set(ref: ObjectRef, waits: boolean): void {
    if (waits) this.#waiting.add(objectKey(ref));
    else this.#waiting.delete(objectKey(ref));
  }

  /** The one of this object's namespace and name, if it waits. */
  named({ metadata: { namespace, name } }: Live<KubeObject>): readonly ObjectRef[] {
    const ref = { namespace, name };
    return this.#waiting.has(objectKey(ref)) ? [ref] : [];
  }

  /** All of them; few as a rule. */
  list(): readonly ObjectRef[] {
    return [...this.#waiting].map(parseObjectKey);
  }
}
