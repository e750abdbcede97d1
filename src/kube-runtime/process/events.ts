// Kubernetes events (events.k8s.io/v1): what happened to an object, for people who run `kubectl describe`. They are a
// courtesy: recording one never waits, never fails a reconcile, and never floods the API server.
//
// Guarantees
// - The same event on the same object within six minutes is one Event whose series counts up, written at most twice
//   a minute (client-go writes every one).
// - An object gets 25 new events at once and one every five minutes after (client-go's spam filter).
// - At most 1,000 events wait; more are dropped and counted.
// Caveats
// - Events are kept an hour by default and may be lost: state belongs into conditions.
import { hash } from "node:crypto";
import type { KubeClient } from "../client/client.ts";
import { isAlreadyExists, isNotFound, isRetryable } from "../client/errors.ts";
import type { KubeObject, Live, ObjectRef } from "../client/object.ts";
import { resourceType } from "../client/resource.ts";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Counter, RuntimeMetrics } from "../metrics.ts";
import { formatMicroTime } from "../timestamps.ts";

export interface ObjectReference {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
  uid?: string;
}

/** `events.k8s.io/v1` Event. */
export interface KubeEvent extends KubeObject {
  eventTime: string;
  type: "Normal" | "Warning";
  reason: string;
  action: string;
  note: string;
  regarding: ObjectReference;
  reportingController: string;
  reportingInstance: string;
  series?: { count: number; lastObservedTime: string };
}

export const eventType = resourceType<KubeEvent>({
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
});

export interface EventContent {
  readonly type: "Normal" | "Warning";
  /** Why, for machines: CamelCase, at most 128 characters. */
  readonly reason: string;
  /** What was done or tried, for machines: CamelCase, at most 128 characters. */
  readonly action: string;
  /** For people; cut at 1 kB. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Who reports, e.g. `example.dev/controller`. */
  readonly controller: string;
  /** Which process: its identity in the lease. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
}

const aggregationMs = 6 * 60_000;
const seriesWriteMs = 30_000;
const maxWaiting = 1000;
const maxSeries = 4096;
const maxTries = 12;
const burst = 25;
const refillMs = 5 * 60_000;
const maxNoteBytes = 1024;
const maxTermLength = 128;
const flushMs = 3000;

interface Series {
  readonly event: KubeEvent;
  count: number;
  /** What the API server knows of. */
  writtenCount: number;
  lastMs: number;
  cancelWrite: (() => void) | undefined;
}

interface Allowance {
  tokens: number;
  atMs: number;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  /** By what makes two events the same; in order of last use. */
  readonly #series = new Map<string, Series>();
  readonly #allowances = new Map<string, Allowance>();
  readonly #waiting: Series[] = [];
  readonly #sent: Counter;
  readonly #dropped: Counter;
  readonly #failed: Counter;
  #wake: (() => void) | undefined;
  #idle: (() => void) | undefined;
  #sending = false;
  #serial = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#sent = options.metrics.events("sent");
    this.#dropped = options.metrics.events("dropped");
    this.#failed = options.metrics.events("failed");
  }

  /** Notes that something happened to `regarding`. Returns at once; sent by `run`. */
  record(regarding: Live<KubeObject>, content: EventContent): void {
    const now = this.#clock.monotonic();
    const key = JSON.stringify([regarding.metadata.uid, content]);
    const known = this.#series.get(key);
    if (known !== undefined && now - known.lastMs < aggregationMs) {
      known.count += 1;
      known.lastMs = now;
      this.#series.delete(key);
      this.#series.set(key, known);
      known.cancelWrite ??= this.#clock.setTimeout(() => {
        known.cancelWrite = undefined;
        this.#enqueue(known);
      }, seriesWriteMs);
      return;
    }
    if (!this.#allow(regarding.metadata.uid, now)) {
      this.#dropped.inc();
      return;
    }
    const event = this.#newEvent(regarding, content);
    const series = { event, count: 1, writtenCount: 0, lastMs: now, cancelWrite: undefined };
    this.#series.set(key, series);
    this.#forgetOld(now);
    this.#enqueue(series);
  }

  /** Sends events until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake?.();
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      const series = this.#waiting.shift();
      if (series === undefined) {
        this.#idle?.();
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
        this.#wake = undefined;
        continue;
      }
      this.#sending = true;
      await this.#send(series, signal);
      this.#sending = false;
    }
    for (const { cancelWrite } of this.#series.values()) cancelWrite?.();
  }

  /** Waits until all that was recorded is sent, at most 3 s. */
  async flush(): Promise<void> {
    for (const series of this.#series.values()) {
      if (series.cancelWrite === undefined) continue;
      series.cancelWrite();
      series.cancelWrite = undefined;
      this.#enqueue(series);
    }
    if (this.#waiting.length === 0 && !this.#sending) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    const cancel = this.#clock.setTimeout(resolve, flushMs);
    await promise;
    cancel();
    this.#idle = undefined;
  }

  #enqueue(series: Series): void {
    if (this.#waiting.length >= maxWaiting) {
      this.#dropped.inc();
      return;
    }
    this.#waiting.push(series);
    this.#wake?.();
  }

  async #send(series: Series, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(
      { initialMs: 1000, maxMs: 30_000, resetAfterMs: 600_000 },
      this.#clock,
      this.#options.random,
    );
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#write(series, signal);
        this.#sent.inc();
        return;
      } catch (error) {
        if (signal.aborted) return;
        // The answer to an earlier try was lost; the event is there.
        if (isAlreadyExists(error)) return;
        // A namespace on its way out refuses events for good; that is no news.
        if (!isRetryable(error) || tries >= maxTries) {
          this.#failed.inc();
          this.#options.logger.debug("cannot send an event", { error, reason: series.event.reason });
          return;
        }
        await this.#clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
      }
    }
  }

  async #write(series: Series, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const { event, count } = series;
    if (series.writtenCount > 0) {
      const state = { series: { count, lastObservedTime: this.#microTime() } };
      try {
        await client.mergePatch(eventType, refOfEvent(event), state, { signal });
        series.writtenCount = count;
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
        // Its hour was over: begin a new one.
        event.metadata = { ...event.metadata, name: this.#name(event.regarding.name) };
      }
    }
    const counted = count > 1 ? { ...event, series: { count, lastObservedTime: this.#microTime() } } : event;
    await client.create(eventType, counted, { signal });
    series.writtenCount = count;
  }

  #newEvent(regarding: Live<KubeObject>, content: EventContent): KubeEvent {
    const { apiVersion, kind, metadata } = regarding;
    const { name, uid, namespace } = metadata;
    return {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      // Events of cluster-scoped objects live in the default namespace.
      metadata: { name: this.#name(name), namespace: namespace ?? "default" },
      eventTime: this.#microTime(),
      type: content.type,
      reason: content.reason.slice(0, maxTermLength),
      action: content.action.slice(0, maxTermLength),
      note: cutBytes(content.note, maxNoteBytes),
      regarding: { apiVersion, kind, name, uid, ...(namespace === undefined ? {} : { namespace }) },
      reportingController: this.#options.controller,
      reportingInstance: this.#options.instance.slice(0, maxTermLength),
    };
  }

  /**
   * Unique among our processes and within this one. Names sort by time, because `kubectl describe` shows events of
   * events.k8s.io in the order in which the API server lists them: by name.
   */
  #name(of: string): string {
    this.#serial += 1;
    const time = this.#clock.now().toString(16).padStart(12, "0");
    const serial = (this.#serial % 0x10000).toString(16).padStart(4, "0");
    const process = hash("sha256", this.#options.instance, "hex").slice(0, 6);
    return `${of.slice(0, 230)}.${time}${serial}${process}`;
  }

  #allow(uid: string, now: number): boolean {
    let allowance = this.#allowances.get(uid);
    if (allowance === undefined) {
      allowance = { tokens: burst, atMs: now };
      this.#allowances.set(uid, allowance);
    }
    const refilled = allowance.tokens + (now - allowance.atMs) / refillMs;
    allowance.tokens = Math.min(refilled, burst);
    allowance.atMs = now;
    if (allowance.tokens < 1) return false;
    allowance.tokens -= 1;
    return true;
  }

  #forgetOld(now: number): void {
    for (const [key, series] of this.#series) {
      const isOld = now - series.lastMs >= aggregationMs && series.cancelWrite === undefined;
      if (!isOld && this.#series.size <= maxSeries) break;
      series.cancelWrite?.();
      this.#series.delete(key);
    }
    for (const [uid, { atMs }] of this.#allowances) {
      // Full again by then, as if it had never been used.
      if (now - atMs < burst * refillMs && this.#allowances.size <= maxSeries) break;
      this.#allowances.delete(uid);
    }
  }

  #microTime(): string {
    return formatMicroTime(new Date(this.#clock.now()));
  }
}

function refOfEvent(event: KubeEvent): ObjectRef {
  return { namespace: event.metadata?.namespace, name: event.metadata?.name ?? "" };
}

/** At most this many bytes of UTF-8, never half a character. */
function cutBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const ellipsis = "…";
  const cut = Buffer.from(text)
    .subarray(0, maxBytes - Buffer.byteLength(ellipsis))
    .toString("utf8");
  return cut.replace(/\uFFFD+$/, "") + ellipsis;
}
