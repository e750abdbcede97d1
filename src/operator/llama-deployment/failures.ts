// What status says of a pass that failed. A refusal is told at once: it stays until somebody acts. Other errors pass by as
// a rule, so that they are told only where the generation has no status yet, or where they stay.
import {
  ConnectionError,
  FencedError,
  isConflict,
  isRefused,
  objectKey,
} from "@llama-operator/kube-runtime/client";
import { reasons } from "@llama-operator/llama/api";
import type { Block } from "./pass.ts";
import type { Scope } from "./scope.ts";

/** For so long an object that has a status may fail in silence. */
const silenceMs = 30_000;
const longestQuote = 600;

export class Failures {
  /** When the first failure of a row was, by `namespace/name`. */
  readonly #sinceMs = new Map<string, number>();

  /** What to tell; undefined where nothing is known, or nothing could be written. */
  block({ object, now }: Pick<Scope, "object" | "now">, error: unknown): Block | undefined {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, longestQuote);
    if (isRefused(error)) return { reason: reasons.WriteRefused, message, recovers: true };
    if (isConflict(error) || error instanceof FencedError || error instanceof ConnectionError)
      return undefined;
    const key = objectKey(object.metadata);
    const sinceMs = this.#sinceMs.get(key) ?? now.getTime();
    this.#sinceMs.set(key, sinceMs);
    const isNew = object.status?.observedGeneration !== object.metadata.generation;
    if (!isNew && now.getTime() - sinceMs < silenceMs) return undefined;
    return { reason: reasons.WriteFailed, message, recovers: true };
  }

  /** The object was looked after, or is gone. */
  end(key: string): void {
    this.#sinceMs.delete(key);
  }
}
