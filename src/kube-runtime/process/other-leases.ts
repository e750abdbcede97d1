// Leases of the same name in other namespaces: another installation of the same program, which would reconcile the same
// cluster-wide objects. Leader election within a namespace does not see it.
import type { KubeClient } from "../client/client.ts";
import { isForbidden } from "../client/errors.ts";
import { objectKey, refOf, type Live } from "../client/object.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { leaseType, type Lease } from "./lease-type.ts";

export interface OtherLeasesOptions {
  /** May list Leases of this name in every namespace; where it may not, nobody is found, and the log says so. */
  readonly client: KubeClient;
  readonly ref: { readonly namespace: string; readonly name: string };
  readonly clock: Pick<Clock, "monotonic">;
  readonly logger: Logger;
}

/** How long a Lease binds others that does not say. */
const defaultDurationSeconds = 15;

export class OtherLeases {
  readonly #options: OtherLeasesOptions;
  /** Each state of a Lease, and when it was first seen here: its own times are another machine's. */
  #seen = new Map<string, { readonly version: string; readonly atMs: number }>();
  #toldOf: string | undefined;

  constructor(options: OtherLeasesOptions) {
    this.#options = options;
  }

  /** The namespace where another installation leads; undefined where none does. */
  async leadingElsewhere(signal: AbortSignal): Promise<string | undefined> {
    const { logger, ref } = this.#options;
    const held = (await this.#list(signal)).find((lease) => this.#binds(lease));
    const namespace = held?.metadata.namespace;
    if (namespace !== this.#toldOf && namespace !== undefined) {
      logger.warn("another installation leads in this cluster: this one stands by until it has gone", {
        lease: ref.name,
        namespace,
        holder: held?.spec?.holderIdentity,
      });
    }
    this.#toldOf = namespace;
    return namespace;
  }

  async #list(signal: AbortSignal): Promise<readonly Live<Lease>[]> {
    const { client, ref, clock, logger } = this.#options;
    try {
      const { items } = await client.list(leaseType, { fieldSelector: `metadata.name=${ref.name}`, signal });
      const others = items.filter(
        ({ metadata: { name, namespace } }) => name === ref.name && namespace !== ref.namespace,
      );
      const seen = new Map(this.#seen);
      this.#seen = new Map(
        others.map((lease) => {
          const key = objectKey(refOf(lease));
          const version = lease.metadata.resourceVersion;
          const before = seen.get(key);
          return [key, before?.version === version ? before : { version, atMs: clock.monotonic() }];
        }),
      );
      return others;
    } catch (error) {
      if (!isForbidden(error)) throw error;
      logger.warn("may not see whether another installation leads in this cluster", { error });
      return [];
    }
  }

  /** Whether somebody holds it, and may have renewed it within its time. */
  #binds(lease: Live<Lease>): boolean {
    if ((lease.spec?.holderIdentity ?? "") === "") return false;
    const { clock } = this.#options;
    const seenAtMs = this.#seen.get(objectKey(refOf(lease)))?.atMs ?? clock.monotonic();
    const durationMs = (lease.spec?.leaseDurationSeconds ?? defaultDurationSeconds) * 1000;
    return clock.monotonic() < seenAtMs + durationMs;
  }
}
