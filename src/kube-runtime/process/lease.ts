// Leader election over a Lease, after client-go's (tools/leaderelection), with two changes: a leader judges its own
// right to write by its own monotonic clock before each write, and a standby watches the Lease, so that a released
// one is taken at once and an expired one at the moment it expires.
//
// Guarantees
// - `fence.check()` throws unless the last renewal that succeeded was sent less than `renewDeadlineSeconds` ago. Others
//   wait `leaseDurationSeconds` after they saw that renewal, which is later: two processes never both pass.
// - A process that was paused past the deadline finds the fence closed at its first write, before any timer runs.
// - When the API server is away, no other replica can take the lease either: the fence closes, and opens again with the next
//   renewal. The leadership is lost only when another replica has taken it.
// - What others write into the Lease is never judged by their clock.
// - Two installations of one program, each with its Lease in its own namespace, never lead both: who takes its Lease looks
//   for others before and after, and whoever sees another gives way. Of two that start at once both may, and try again.
// Assumptions
// - Clocks of all candidates run at about the same rate; leaseDuration - renewDeadline covers the difference.
// Caveats
// - A suspended virtual machine may stop the monotonic clock. Then only the Lease itself tells, at the next renewal.
// - A write that has left when the fence closes may still take effect, within its request timeout.
import type { KubeClient } from "../client/client.ts";
import { ApiError, FencedError, isAlreadyExists, isConflict, isNotFound } from "../client/errors.ts";
import type { WriteFence } from "../connection/http/http-client.ts";
import type { Live } from "../client/object.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Gauge } from "../metrics.ts";
import { formatMicroTime } from "../timestamps.ts";
import { leaseType, type Lease } from "./lease-type.ts";
import { OtherLeases } from "./other-leases.ts";

/** Another replica holds the lease: this process must end. */
export class LeadershipLostError extends Error {
  override readonly name = "LeadershipLostError";
  readonly code = "leadership_lost";
}

export interface LeaseOptions {
  /** Unfenced, on the `lease` lane, without retries, its request timeout at most half of `renewDeadlineSeconds`. */
  readonly client: KubeClient;
  readonly ref: { readonly namespace: string; readonly name: string };
  /** Unique to this process: hostname and a UUID. */
  readonly identity: string;
  /** Default 15. */
  readonly leaseDurationSeconds?: number | undefined;
  /** Default 10. */
  readonly renewDeadlineSeconds?: number | undefined;
  /** Default 2. */
  readonly retryPeriodSeconds?: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** 1 while leading. */
  readonly gauge: Gauge;
}

export class LeaseElector {
  readonly fence: WriteFence;
  readonly #options: LeaseOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #others: OtherLeases;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  /** The Lease as last seen, and when this state of it was first seen here. */
  #seen: { readonly lease: Live<Lease>; readonly atMs: number } | undefined;
  /** While leading: when the right to write ends. */
  #validUntilMs: number | undefined;

  constructor(options: LeaseOptions) {
    const { leaseDurationSeconds = 15, renewDeadlineSeconds = 10, retryPeriodSeconds = 2 } = options;
    if (leaseDurationSeconds <= renewDeadlineSeconds || renewDeadlineSeconds <= retryPeriodSeconds) {
      throw new RangeError("leaseDuration > renewDeadline > retryPeriod must hold");
    }
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.logger.child({ lease: options.ref.name, identity: options.identity });
    this.#others = new OtherLeases(options);
    this.#leaseDurationMs = leaseDurationSeconds * 1000;
    this.#renewDeadlineMs = renewDeadlineSeconds * 1000;
    this.#retryPeriodMs = retryPeriodSeconds * 1000;
    this.fence = Object.freeze({ check: () => this.#checkFence() });
    options.gauge.set(0);
  }

  /** Whether the lease is held and recent enough to write. */
  get isLeader(): boolean {
    return this.#validUntilMs !== undefined && this.#clock.monotonic() < this.#validUntilMs;
  }

  /** Waits, as long as it takes, until this process holds the lease. @throws the signal's reason */
  async acquire(signal: AbortSignal): Promise<void> {
    this.#log.info("waiting for the lease");
    for (;;) {
      signal.throwIfAborted();
      let periods = 1;
      try {
        if ((await this.#others.leadingElsewhere(signal)) === undefined) {
          if (!(await this.#tryAcquire(signal))) {
            await this.#awaitChance(signal);
            continue;
          }
          // Another one may have taken its own between the two looks: it sees this one, or is seen here.
          const other = await this.#others.leadingElsewhere(signal);
          if (other === undefined) return;
          await this.release();
          // Of two that give way to each other, one comes back first.
          if (this.#options.ref.namespace > other) periods = 3;
        }
      } catch (error) {
        signal.throwIfAborted();
        this.#log.warn("cannot read or take the lease; trying again", { error });
      }
      await this.#clock.sleep(this.#retryPeriodMs * (periods + this.#options.random()), signal);
    }
  }

  /** Renews the lease until the signal is aborted. @throws LeadershipLostError when another replica has it */
  async hold(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(this.#retryPeriodMs, signal);
        await this.#renew(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LeadershipLostError) {
          this.#close();
          throw error;
        }
        this.#log.warn("cannot renew the lease; trying again", { error, mayWrite: this.isLeader });
      }
    }
  }

  /** Closes the fence and gives the lease back, so that a standby need not wait for it to expire. */
  async release(): Promise<void> {
    const wasHeld = this.#validUntilMs !== undefined;
    this.#close();
    const held = this.#seen?.lease;
    if (!wasHeld || held === undefined) return;
    const { acquireTime: _, ...spec } = held.spec ?? {};
    const released = { ...spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: this.#microTime() };
    try {
      await this.#options.client.replace(leaseType, { ...held, spec: released });
      this.#log.info("released the lease");
    } catch (error) {
      this.#log.warn("cannot release the lease; it will expire", { error });
    }
  }

  #checkFence(): void {
    if (this.#validUntilMs === undefined) throw new FencedError("not the leader");
    if (this.#clock.monotonic() >= this.#validUntilMs) {
      throw new FencedError("the lease was not renewed in time; somebody else may hold it");
    }
  }

  /** One attempt on a lease that is free, expired, or ours; `returns`: after an absence longer than the lease. */
  async #tryAcquire(signal: AbortSignal, returns = false): Promise<boolean> {
    const { client, ref, identity } = this.#options;
    const sentAtMs = this.#clock.monotonic();
    try {
      const lease = await this.#read(signal);
      if (lease === undefined) {
        const { apiVersion, kind } = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
        const spec = this.#claim(undefined);
        const metadata = { ...ref };
        const made = await client.create(leaseType, { apiVersion, kind, metadata, spec }, { signal });
        if (returns) await this.#requireAlone(signal);
        this.#open(made, sentAtMs);
        return true;
      }
      const holder = lease.spec?.holderIdentity ?? "";
      if (holder !== "" && holder !== identity && this.#expiresInMs() > 0) return false;
      const taken = await client.replace(leaseType, { ...lease, spec: this.#claim(lease) }, { signal });
      if (returns) await this.#requireAlone(signal);
      this.#open(taken, sentAtMs);
      return true;
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return false;
      throw error;
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, identity, ref } = this.#options;
    const held = this.#seen?.lease;
    const sentAtMs = this.#clock.monotonic();
    // It was away for longer than its lease: its own is as it left it, and another installation may have taken over.
    const returns = !this.isLeader;
    try {
      if (held === undefined) throw new LeadershipLostError("no lease is held");
      const spec = { ...held.spec, renewTime: this.#microTime() };
      const renewed = await client.replace(leaseType, { ...held, spec }, { signal });
      if (returns) await this.#requireAlone(signal);
      this.#open(renewed, sentAtMs);
    } catch (error) {
      // The Lease was written: a renewal of ours whose answer was lost, a user's label, or another holder.
      if (!isConflict(error) && !isNotFound(error)) throw error;
      const lease = await this.#read(signal);
      const holder = lease?.spec?.holderIdentity ?? "";
      if (lease !== undefined && holder !== identity) {
        throw new LeadershipLostError(`${holder === "" ? "nobody" : holder} holds lease ${ref.name} now`);
      }
      if (!(await this.#tryAcquire(signal, returns))) throw error;
    }
  }

  /** After the own Lease was written: of two that write and then look, one at least sees the other. */
  async #requireAlone(signal: AbortSignal): Promise<void> {
    const other = await this.#others.leadingElsewhere(signal);
    if (other !== undefined) throw new LeadershipLostError(`an installation in namespace ${other} leads now`);
  }

  /** Reads the Lease and notes when this state of it was first seen. */
  async #read(signal: AbortSignal): Promise<Live<Lease> | undefined> {
    try {
      const lease = await this.#options.client.get(leaseType, this.#options.ref, { signal });
      this.#note(lease);
      return lease;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#seen = undefined;
      return undefined;
    }
  }

  #note(lease: Live<Lease>): void {
    if (this.#seen?.lease.metadata.resourceVersion === lease.metadata.resourceVersion) return;
    this.#seen = { lease, atMs: this.#clock.monotonic() };
  }

  /** How long the lease as last seen still binds others. */
  #expiresInMs(): number {
    if (this.#seen === undefined) return 0;
    const seconds = this.#seen.lease.spec?.leaseDurationSeconds;
    const durationMs = seconds === undefined ? this.#leaseDurationMs : seconds * 1000;
    return this.#seen.atMs + durationMs - this.#clock.monotonic();
  }

  /** Watches another replica's lease until it is released, deleted or has expired. */
  async #awaitChance(signal: AbortSignal): Promise<void> {
    const { client, ref } = this.#options;
    const seen = this.#seen;
    if (seen === undefined) return;
    const cut = new AbortController();
    const either = AbortSignal.any([signal, cut.signal]);
    const expire = (): void => cut.abort(new LeaseExpired());
    let cancelExpiry = this.#clock.setTimeout(expire, Math.max(this.#expiresInMs(), 0));
    try {
      const events = client.watch(leaseType, {
        namespace: ref.namespace,
        fieldSelector: `metadata.name=${ref.name}`,
        resourceVersion: seen.lease.metadata.resourceVersion,
        signal: either,
      });
      for await (const event of events) {
        if (event.type === "BOOKMARK") continue;
        if (event.type === "DELETED") return;
        this.#note(event.object);
        if ((event.object.spec?.holderIdentity ?? "") === "") return;
        cancelExpiry();
        cancelExpiry = this.#clock.setTimeout(expire, Math.max(this.#expiresInMs(), 0));
      }
      // A server that ends every watch at once must not be asked in a loop.
      await this.#clock.sleep(this.#retryPeriodMs * this.#options.random(), either);
    } catch (error) {
      if (error instanceof LeaseExpired) return;
      // The state we watched from is gone: read it again, at once.
      if (error instanceof ApiError && error.code === 410) return;
      throw error;
    } finally {
      cancelExpiry();
    }
  }

  #claim(previous: Live<Lease> | undefined): NonNullable<Lease["spec"]> {
    const { identity } = this.#options;
    const now = this.#microTime();
    const spec = previous?.spec ?? {};
    const isRenewal = spec.holderIdentity === identity;
    return {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: this.#leaseDurationMs / 1000,
      acquireTime: isRenewal ? (spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (previous === undefined || isRenewal ? 0 : 1),
    };
  }

  #open(lease: Live<Lease>, sentAtMs: number): void {
    if (this.#validUntilMs === undefined) {
      this.#log.info("leading");
      this.#options.gauge.set(1);
    }
    this.#seen = { lease, atMs: this.#clock.monotonic() };
    this.#validUntilMs = sentAtMs + this.#renewDeadlineMs;
  }

  #close(): void {
    this.#validUntilMs = undefined;
    this.#options.gauge.set(0);
  }

  #microTime(): string {
    return formatMicroTime(new Date(this.#clock.now()));
  }
}

class LeaseExpired extends Error {
  override readonly name = "LeaseExpired";
}
