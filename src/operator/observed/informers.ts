// Declares an informer for each watched kind, and gives out the stores behind them.
import type { Cache, Informer, InformerOptions } from "@llama-operator/kube-runtime/cache";
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import type { Caches } from "./caches.ts";
import { watched, type Kept, type Watched } from "./watched.ts";

export type Informers = { readonly [K in keyof Watched]: Informer<Kept<K>> };

/** @throws RangeError when one of the kinds is declared elsewhere */
export function declareInformers(cache: Cache): Informers {
  return mapEntries(watched, (kind) => cache.add(kind as InformerOptions<KubeObject>)) as Informers;
}

/** The informers of what the operator makes: a change of such an object wakes its owner. */
export function childInformers(informers: Informers): readonly Informer<KubeObject>[] {
  const owned = Object.entries(watched).filter(([, kind]) => kind.owned);
  return owned.map(([name]) => informers[name as keyof Watched] as unknown as Informer<KubeObject>);
}

/** The stores behind the informers, as reconcilers read them. */
export function cachesOf(informers: Informers): Caches {
  const stores = mapEntries(informers, (informer) => informer.store) as Omit<
    Caches,
    "servesLeaderWorkerSets"
  >;
  return { ...stores, servesLeaderWorkerSets: () => informers.leaderWorkerSets.served };
}

function mapEntries<V>(record: Readonly<Record<string, V>>, map: (value: V) => unknown): unknown {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
