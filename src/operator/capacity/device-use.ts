// What pods take of their nodes, devices above all, kept up to date by pod events: asking costs no walk over the pods.
import { holdsDevices, type Pod } from "../observed/pod.ts";
import { difference, isSameResources, noResources, sum, type NodeResources } from "../observed/resources.ts";

/** Counts each pod as last observed, whatever was missed in between. */
export class DeviceUse {
  readonly #holders = new Map<string, Pod>();
  readonly #used = new Map<string, Map<string, number>>();
  readonly #requested = new Map<string, { readonly pods: number; readonly sum: NodeResources }>();
  readonly #changed: ((nodeName: string) => void) | undefined;

  /** `changed` is told of each node whose use is another than before. */
  constructor(changed?: (nodeName: string) => void) {
    this.#changed = changed;
  }

  /** Takes a pod as it is now. */
  observe(pod: Pod): void {
    const held = this.#holders.get(pod.metadata.uid);
    // Most news of a pod are none of its devices, which it holds until it ends.
    if (held !== undefined && held.nodeName === pod.nodeName && holdsDevices(pod) && isSame(held, pod))
      return;
    this.forget(pod);
    if (pod.nodeName === undefined || !holdsDevices(pod)) return;
    if (Object.keys(pod.devices).length === 0 && pod.requests === undefined) return;
    this.#holders.set(pod.metadata.uid, pod);
    this.#add(pod.nodeName, pod, 1);
  }

  /** The pod is gone. */
  forget({ metadata: { uid } }: Pod): void {
    const held = this.#holders.get(uid);
    if (held?.nodeName === undefined) return;
    this.#holders.delete(uid);
    this.#add(held.nodeName, held, -1);
  }

  used(nodeName: string, resourceName: string): number {
    return this.#used.get(nodeName)?.get(resourceName) ?? 0;
  }

  /** CPU, memory and disk that the node's pods request. */
  requested(nodeName: string): NodeResources {
    return this.#requested.get(nodeName)?.sum ?? noResources;
  }

  #add(nodeName: string, pod: Pod, sign: 1 | -1): void {
    const node = this.#used.get(nodeName) ?? new Map<string, number>();
    for (const [name, count] of Object.entries(pod.devices))
      node.set(name, (node.get(name) ?? 0) + sign * count);
    if ([...node.values()].every((count) => count === 0)) this.#used.delete(nodeName);
    else this.#used.set(nodeName, node);
    this.#addRequests(nodeName, pod.requests, sign);
    this.#changed?.(nodeName);
  }

  #addRequests(nodeName: string, requests: NodeResources | undefined, sign: 1 | -1): void {
    if (requests === undefined) return;
    const before = this.#requested.get(nodeName) ?? { pods: 0, sum: noResources };
    const pods = before.pods + sign;
    const by = sign === 1 ? sum : difference;
    if (pods === 0) this.#requested.delete(nodeName);
    else this.#requested.set(nodeName, { pods, sum: by(before.sum, requests) });
  }
}

/** A pod's requests may be changed in place; its devices may not. */
function isSame(a: Pod, b: Pod): boolean {
  return isSameResources(a.requests ?? noResources, b.requests ?? noResources);
}
