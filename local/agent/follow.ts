// Tells a callback of all objects of a kind: one list, then one watch that goes on where it ended. The agent
// needs no more than this of what an informer does.
import type { Clock } from "../engine/clock.ts";
import type { KubeClient, KubeObject, Live, ResourceType } from "@llama-operator/kube-runtime/client";

/** Who wants to know. Objects that were there before a gap and are not after it are removed too. */
export interface Follower<T extends KubeObject> {
  readonly set: (object: Live<T>) => void;
  readonly remove: (object: Live<T>) => void;
  /** Everything that the API server has is known. Called after each list. */
  readonly synced: () => void;
  /** The connection was lost, or what the server sent could not be used; it is tried again. */
  readonly failed: (error: unknown) => void;
}

const watchSeconds = 300;
const retryWaitMs = { first: 100, longest: 5000 };

/** Follows until aborted. Never rejects. */
export async function follow<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  follower: Follower<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, Live<T>>();
  let retryMs = retryWaitMs.first;
  while (!signal.aborted) {
    try {
      const { items, resourceVersion } = await client.list(type, { signal });
      const present = new Set(items.map(({ metadata }) => metadata.uid));
      for (const [uid, object] of known) {
        if (present.has(uid)) continue;
        known.delete(uid);
        follower.remove(object);
      }
      for (const item of items) {
        const before = known.get(item.metadata.uid);
        known.set(item.metadata.uid, item);
        if (before?.metadata.resourceVersion !== item.metadata.resourceVersion) follower.set(item);
      }
      follower.synced();
      await watchFrom(resourceVersion);
    } catch (error) {
      if (signal.aborted) return;
      follower.failed(error);
      await clock.sleep(retryMs, signal).catch(() => undefined);
      retryMs = Math.min(retryWaitMs.longest, retryMs * 2);
    }
  }

  /** One watch after the other, until an error asks for a new list. */
  async function watchFrom(listed: string): Promise<void> {
    let resourceVersion = listed;
    while (!signal.aborted) {
      const options = { resourceVersion, timeoutSeconds: watchSeconds, signal };
      for await (const event of client.watch(type, options)) {
        retryMs = retryWaitMs.first;
        if (event.type === "BOOKMARK") {
          resourceVersion = event.resourceVersion;
          continue;
        }
        const { object } = event;
        resourceVersion = object.metadata.resourceVersion;
        if (event.type === "DELETED") {
          known.delete(object.metadata.uid);
          follower.remove(object);
        } else {
          known.set(object.metadata.uid, object);
          follower.set(object);
        }
      }
    }
  }
}
