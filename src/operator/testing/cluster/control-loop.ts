// The loop that each small controller of the simulated cluster is: changes of objects name keys, and each key is
// reconciled once, a moment later.
//
// Differs from client-go: a reconcile reads the API server itself and runs in one turn, so that it never acts on an old
// cache and needs no expectations; it is not tried again on errors, which end the test.
import type { InMemoryApiServer } from "@llama-operator/kube-runtime/testing";
import {
  isRefused,
  objectKey,
  parseObjectKey,
  refOf,
  type KubeObject,
  type Live,
  type ObjectRef,
  type ResourceType,
} from "@llama-operator/kube-runtime/client";
import type { WorkClock } from "./work-clock.ts";

export interface ClusterParts {
  readonly server: InMemoryApiServer;
  readonly clock: WorkClock;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Which keys a change of an object of this kind names. */
export interface Watched<T extends KubeObject = KubeObject> {
  readonly type: ResourceType<T>;
  readonly keys: (object: Live<T>) => readonly (ObjectRef | undefined)[];
}

/** Declares what is watched, with the type of its objects kept inside. */
export function watched<T extends KubeObject>(
  type: ResourceType<T>,
  keys: (object: Live<T>) => readonly (ObjectRef | undefined)[] = (object) => [refOf(object)],
): Watched {
  // The server hands a kind's listeners its own objects alone.
  return { type, keys: keys as unknown as Watched["keys"] };
}

/** After how long a controller tries again what was refused: the real ones back off. */
const retryMs = 30_000;

/** How long a controller takes to see a change and act. */
const reactionMs = 10;

export class ControlLoop {
  readonly #parts: ClusterParts;
  readonly #reconcile: (ref: ObjectRef) => void;
  readonly #dirty = new Set<string>();
  #scheduled = false;
  #paused = false;

  constructor(parts: ClusterParts, watches: readonly Watched[], reconcile: (ref: ObjectRef) => void) {
    this.#parts = parts;
    this.#reconcile = reconcile;
    const byResource = new Map(watches.map((each) => [resourceOf(each.type), each]));
    parts.server.onChange(({ resource, event, before }) => {
      const watch = byResource.get(resource);
      if (watch === undefined) return;
      for (const object of before === undefined ? [event.object] : [before, event.object]) {
        for (const ref of watch.keys(object)) if (ref !== undefined) this.enqueue(ref);
      }
    });
  }

  enqueue(ref: ObjectRef): void {
    this.#dirty.add(objectKey(ref));
    this.#schedule();
  }

  /** Looks at a key again after a time. */
  enqueueAfter(ref: ObjectRef, ms: number): void {
    this.#parts.clock.setTimeout(() => this.enqueue(ref), ms);
  }

  /** Looks at a key again and again as long as something outside refuses it: nobody waits for that. */
  retry(ref: ObjectRef): void {
    this.#parts.clock.setBackgroundTimeout(() => this.enqueue(ref), retryMs);
  }

  /** The controller is down; what changes meanwhile is looked at when it is back. */
  set paused(paused: boolean) {
    this.#paused = paused;
    if (!paused && this.#dirty.size > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused) return;
    this.#scheduled = true;
    this.#parts.clock.setTimeout(() => {
      this.#scheduled = false;
      if (this.#paused) return;
      const keys = [...this.#dirty];
      this.#dirty.clear();
      for (const key of keys) this.#reconcile(parseObjectKey(key));
    }, reactionMs);
  }
}

/** What the API server answered, without what was asked. @throws what is not a refusal */
export function refusalOf(error: unknown): string {
  if (!isRefused(error)) throw error;
  return error.message.slice(error.message.indexOf(`${error.reason}: `) + error.reason.length + 2);
}

function resourceOf({ plural, group }: ResourceType): string {
  return group === "" ? plural : `${plural}.${group}`;
}
