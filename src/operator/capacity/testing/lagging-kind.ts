// One kind of object for tests: what the API server holds, and a cache of it that lags behind until told to catch up.
import { ObjectStore } from "@llama-operator/kube-runtime/cache";
import { objectKey, refOf, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import { byDeployment } from "../../observed/caches.ts";
import { deploymentLabel } from "../../workloads/labels.ts";
import type { Observed } from "../sources.ts";

type Handler<T extends KubeObject> = Parameters<Observed<T>["onChange"]>[0];

export class LaggingKind<T extends KubeObject> implements Observed<T> {
  /** What the API server holds, by `namespace/name`. */
  readonly live = new Map<string, Live<T>>();
  #store = emptyStore<T>();
  #handlers: Handler<T>[] = [];
  #pending: (() => void)[] = [];
  readonly #nextVersion: () => number;

  constructor(nextVersion: () => number) {
    this.#nextVersion = nextVersion;
  }

  get store(): ObjectStore<T> {
    return this.#store;
  }

  onChange(handler: Handler<T>): void {
    this.#handlers.push(handler);
    for (const object of this.#store.list()) handler({ type: "added", object });
  }

  /** Writes to the API server; the cache hears of it later. */
  write(object: Live<T>): void {
    const version = String(this.#nextVersion());
    const written = { ...object, metadata: { ...object.metadata, resourceVersion: version } };
    this.live.set(objectKey(refOf(object)), written);
    this.#pending.push(() => this.#tell(this.#store.put(written)));
  }

  remove(key: string): void {
    const object = this.live.get(key);
    if (object === undefined) return;
    this.live.delete(key);
    const last = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#nextVersion()) },
    };
    this.#pending.push(() => this.#tell(this.#store.remove(last)));
  }

  /** The cache hears of the next `events` changes. */
  deliver(events = Infinity): void {
    for (let at = 0; at < events; at += 1) {
      const event = this.#pending.shift();
      if (event === undefined) return;
      event();
    }
  }

  /** The process has gone, and another one has listed everything. */
  restart(): void {
    this.#handlers = [];
    this.#pending = [];
    this.#store = emptyStore<T>();
    this.#store.replace(this.live.values());
  }

  #tell(change: Parameters<Handler<T>>[0] | undefined): void {
    if (change !== undefined) for (const handler of this.#handlers) handler(change);
  }
}

function emptyStore<T extends KubeObject>(): ObjectStore<T> {
  return new ObjectStore<T>({
    [byDeployment]: ({ metadata: { namespace = "", labels } }) => {
      const name = labels?.[deploymentLabel];
      return name === undefined ? [] : [`${namespace}/${name}`];
    },
  });
}
