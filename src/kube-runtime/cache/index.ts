// The public names of @llama-operator/kube-runtime/cache. Other parts can import these and nothing else.
export { Cache } from "./cache.ts";
export { Informer, type InformerOptions } from "./informer.ts";
export { ObjectStore, type Store, type StoreChange } from "./store.ts";
export { WriteTracker } from "./write-tracker.ts";
