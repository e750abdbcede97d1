// The caches that the controllers read: one store for each watched kind, filled by the runtime's informers.
import type { Store } from "@llama-operator/kube-runtime/cache";
import type { Kept, Watched } from "./watched.ts";

export { byDeployment } from "./watched.ts";

export type Caches = { readonly [K in keyof Watched]: Store<Kept<K>> } & {
  /** Whether the API server has LeaderWorkerSets now: their CRD may come late, or go. */
  servesLeaderWorkerSets(): boolean;
};
