// Everything that should exist beside the revision: the same objects are handed out again while nothing has changed, so
// that they are rendered and hashed once.
import { desiredObjects, type DesiredObject, type RevisionWorkload } from "../../workloads/desired.ts";
import type { Owner } from "../../workloads/names.ts";

export class DesiredObjects {
  readonly #known = new Map<
    string,
    { readonly signature: string; readonly objects: readonly DesiredObject[] }
  >();

  of(owner: Owner, workloads: readonly RevisionWorkload[]): readonly DesiredObject[] {
    const parts = workloads.map((each) => [
      each.revision.hash,
      each.revision.placement ?? "",
      "slots" in each ? each.slots : each.replicas,
    ]);
    const signature = JSON.stringify([owner.uid, parts]);
    const key = `${owner.namespace}/${owner.name}`;
    const known = this.#known.get(key);
    if (known?.signature === signature) return known.objects;
    const objects = desiredObjects({ owner, workloads });
    this.#known.set(key, { signature, objects });
    return objects;
  }

  /** The LlamaDeployment, as `namespace/name`, is gone. */
  forget(key: string): void {
    this.#known.delete(key);
  }
}
