// Everything that happens to LlamaDeployments, what is made for them, and their pods, in the order in which it
// happened: resourceVersions of one API server are one sequence over all kinds. Sees what the operator under test may
// not see, because it has watches of its own.
import { childTypes, llamaDeployments, pods } from "../../../src/operator/observed/kinds.ts";
import type { KubeClient } from "../../../src/kube-runtime/client/client.ts";
import type { KubeObject, Live } from "../../../src/kube-runtime/client/object.ts";
import { compareResourceVersions } from "../../../src/kube-runtime/client/resource-version.ts";
import type { ResourceType } from "../../../src/kube-runtime/client/resource.ts";

export interface HistoryEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Live<KubeObject>;
}

export class History implements AsyncDisposable {
  readonly #events = new Map<string, HistoryEvent[]>();
  readonly #live = new Map<string, Live<KubeObject>>();
  readonly #end = new AbortController();
  readonly #watches: Promise<void>[] = [];
  readonly #listeners = new Set<() => void>();

  /** Watches all namespaces from now on; what exists already counts as added. */
  static async start(client: KubeClient): Promise<History> {
    const history = new History();
    const watched: readonly ResourceType[] = [llamaDeployments, pods, ...childTypes];
    for (const type of watched) {
      const { items, resourceVersion } = await client.list(type);
      for (const object of items) history.#note({ type: "ADDED", object });
      history.#watches.push(history.#watch(client, type, resourceVersion));
    }
    return history;
  }

  /** What happened in a namespace so far, oldest first. */
  of(namespace: string): readonly HistoryEvent[] {
    return (this.#events.get(namespace) ?? []).toSorted((a, b) =>
      compareResourceVersions(a.object.metadata.resourceVersion, b.object.metadata.resourceVersion),
    );
  }

  /** What there is in a namespace now. */
  live(namespace: string): readonly Live<KubeObject>[] {
    return [...this.#live.values()].filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** An object as it is now. */
  find(kind: string, namespace: string, name: string): Live<KubeObject> | undefined {
    return this.#live.get([kind, namespace, name].join("/"));
  }

  /** Waits until something is there. @throws after `seconds`, naming what was waited for and `state` */
  async until<T>(
    what: string,
    look: () => T | undefined,
    seconds: number,
    state: () => string = () => "",
  ): Promise<T> {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what} ${state()}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, 1000);
      this.#listeners.add(resolve);
      await promise;
      clearTimeout(timer);
      this.#listeners.delete(resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error("the history is over"));
    await Promise.all(this.#watches);
  }

  async #watch(client: KubeClient, type: ResourceType, from: string): Promise<void> {
    const { signal } = this.#end;
    let resourceVersion = from;
    while (!signal.aborted) {
      try {
        for await (const event of client.watch(type, { resourceVersion, signal })) {
          if (event.type === "BOOKMARK") continue;
          ({ resourceVersion } = event.object.metadata);
          this.#note(event);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #note(event: HistoryEvent): void {
    const { kind, metadata } = event.object;
    const { namespace = "", name } = metadata;
    const events = this.#events.get(namespace) ?? [];
    this.#events.set(namespace, events);
    events.push(event);
    const key = [kind, namespace, name].join("/");
    if (event.type === "DELETED") this.#live.delete(key);
    else this.#live.set(key, event.object);
    for (const wake of this.#listeners) wake();
  }
}
