// Pods that workloads ask for and nobody makes: a quota or a webhook refuses them. They are about to be placed for a
// while; then they are taken to be refused, and must lock no GPUs, for they may never come. What is remembered here is
// only since when each workload stands still: after a restart its pods have the whole time again.

/** For so long do pods that do not exist count as about to be placed: controllers take seconds to make them. */
const patienceMs = 60_000;

interface Standstill {
  readonly shape: string;
  readonly sinceMs: number;
}

export class UnmadePods {
  readonly #monotonicMs: () => number;
  /** By holder, by workload. */
  #standstills = new Map<string, Map<string, Standstill>>();
  #nextDueMs = Number.POSITIVE_INFINITY;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /**
   * Takes what a holder's workloads that lack pods look like since its last change, each as a text that is another when
   * anything goes on. Returns the workloads whose pods are taken to be refused.
   */
  observe(holder: string, shapes: ReadonlyMap<string, string>, changedMs: number): ReadonlySet<string> {
    const before = this.#standstills.get(holder);
    const nowMs = this.#monotonicMs();
    const after = new Map<string, Standstill>();
    for (const [workload, shape] of shapes) {
      const known = before?.get(workload);
      after.set(workload, known?.shape === shape ? known : { shape, sinceMs: changedMs });
    }
    if (after.size > 0) this.#standstills.set(holder, after);
    else this.#standstills.delete(holder);
    const refused = new Set<string>();
    for (const [workload, { sinceMs }] of after) {
      const dueMs = sinceMs + patienceMs;
      if (dueMs <= nowMs) refused.add(workload);
      else this.#nextDueMs = Math.min(this.#nextDueMs, dueMs);
    }
    return refused;
  }

  /** Milliseconds until some holder is to be observed again though nothing of it has changed. */
  dueInMs(): number | undefined {
    return Number.isFinite(this.#nextDueMs) ? Math.max(0, this.#nextDueMs - this.#monotonicMs()) : undefined;
  }

  /** The holders that are due. */
  takeDue(): readonly string[] {
    const nowMs = this.#monotonicMs();
    if (nowMs < this.#nextDueMs) return [];
    this.#nextDueMs = Number.POSITIVE_INFINITY;
    const due: string[] = [];
    for (const [holder, standstills] of this.#standstills) {
      for (const { sinceMs } of standstills.values()) {
        const dueMs = sinceMs + patienceMs;
        if (dueMs > nowMs) this.#nextDueMs = Math.min(this.#nextDueMs, dueMs);
        else if (due.at(-1) !== holder) due.push(holder);
      }
    }
    return due;
  }
}
