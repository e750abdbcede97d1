// Continuous batching: which sequences run in a step, who waits for a seat or for KV blocks, who is preempted.
// Differs from vLLM's scheduler in that no prefix is ever found in the cache, and priorities are ignored.
import { setImmediate as yieldToIo } from "node:timers/promises";
import type { StepTime } from "./latency.ts";
import type { Clock } from "../clock.ts";

export type FinishReason = "stop" | "length" | "abort" | "error";

/** One sequence to generate; `n` of a request makes several of them. */
export interface SequenceRequest {
  readonly promptTokens: number;
  /** Tokens to generate, and whether reaching them is the model's own end or the caller's limit. */
  readonly outputTokens: number;
  readonly finishReason: "stop" | "length";
  /** Called for every token, in order, with its 0-based position. */
  readonly onToken: (position: number) => void;
  readonly onFinish: (finish: SequenceFinish) => void;
}

/** Times in milliseconds of the scheduler's clock; those that were not reached are undefined. */
export interface SequenceFinish {
  readonly reason: FinishReason;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly preemptions: number;
  readonly arrivedAt: number;
  readonly scheduledAt: number | undefined;
  readonly firstTokenAt: number | undefined;
  readonly finishedAt: number;
}

export interface SchedulerLimits {
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  readonly blockSize: number;
  /** Without the null block. */
  readonly usableBlocks: number;
}

/** What a step did, for the metrics. */
export interface StepReport {
  readonly prefillTokens: number;
  readonly generatedTokens: number;
  readonly preemptions: number;
  /** Milliseconds since each decoding sequence's previous token, and until the first of the others. */
  readonly interTokenMs: readonly number[];
  readonly firstTokenMs: readonly number[];
}

type Sequence = SequenceRequest & {
  readonly arrivedAt: number;
  computedPrompt: number;
  generated: number;
  blocks: number;
  preemptions: number;
  scheduledAt: number | undefined;
  firstTokenAt: number | undefined;
  lastTokenAt: number;
  done: boolean;
};

export class Scheduler {
  readonly #limits: SchedulerLimits;
  readonly #stepTime: StepTime;
  readonly #speedup: number;
  readonly #clock: Clock;
  readonly #report: (report: StepReport) => void;
  readonly #waiting: Sequence[] = [];
  readonly #running = new Set<Sequence>();
  #freeBlocks: number;
  #dueAt = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(
    limits: SchedulerLimits,
    stepTime: StepTime,
    speedup: number,
    clock: Clock,
    report: (report: StepReport) => void,
  ) {
    this.#limits = limits;
    this.#stepTime = stepTime;
    this.#speedup = speedup;
    this.#clock = clock;
    this.#report = report;
    this.#freeBlocks = limits.usableBlocks;
  }

  get runningCount(): number {
    return this.#running.size;
  }
  get waitingCount(): number {
    return this.#waiting.length;
  }
  /** 0 to 1. */
  get kvCacheUsage(): number {
    return 1 - this.#freeBlocks / Math.max(1, this.#limits.usableBlocks);
  }
  get unfinishedCount(): number {
    return this.#running.size + this.#waiting.length;
  }

  /** Queues a sequence; the function returned aborts it (its `onFinish` is then called with "abort"). */
  submit(request: SequenceRequest): () => void {
    const sequence: Sequence = {
      ...request,
      arrivedAt: this.#clock.now(),
      computedPrompt: 0,
      generated: 0,
      blocks: 0,
      preemptions: 0,
      scheduledAt: undefined,
      firstTokenAt: undefined,
      lastTokenAt: 0,
      done: false,
    };
    if (this.#closed) {
      queueMicrotask(() => this.#finish(sequence, "abort"));
    } else {
      this.#waiting.push(sequence);
      this.#wake?.();
    }
    return () => this.#finish(sequence, "abort");
  }

  /** What comes from now on is aborted at once, as vLLM 0.32 does while it drains. */
  close(): void {
    this.#closed = true;
  }

  /** Ends everything that is queued or running, e.g. on SIGTERM without a drain. */
  abortAll(reason: "abort" | "error"): void {
    for (const sequence of [...this.#running, ...this.#waiting]) this.#finish(sequence, reason);
  }

  /** Steps until aborted. Time that was overslept is made up for by the next steps. */
  async run(signal: AbortSignal): Promise<void> {
    let unsleptSteps = 0;
    while (!signal.aborted) {
      if (this.unfinishedCount === 0) {
        await this.#untilSubmitted(signal);
        this.#dueAt = this.#clock.now();
        continue;
      }
      const batch = this.#schedule();
      this.#dueAt += (this.#stepTime(batch) * 1000) / this.#speedup;
      const early = this.#dueAt - this.#clock.now();
      if (early >= 1) {
        await this.#clock.sleep(early, signal).catch(() => undefined);
        unsleptSteps = 0;
      } else if (++unsleptSteps % 16 === 0) {
        await yieldToIo();
      }
      if (!signal.aborted) this.#complete(batch);
    }
  }

  #untilSubmitted(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** Decoding sequences first, then prompts in order of arrival, within seats, token budget and KV blocks. */
  #schedule(): Batch {
    let budget = this.#limits.maxNumBatchedTokens;
    let preemptions = 0;
    const prefills = new Map<Sequence, number>();
    const decodes: Sequence[] = [];
    // A sequence that is preempted on the way leaves the set, and the iteration with it.
    for (const sequence of this.#running) {
      if (budget === 0) break;
      if (sequence.computedPrompt < promptLength(sequence)) {
        budget -= this.#addPrefill(sequence, budget, prefills);
        continue;
      }
      while (!this.#reserve(sequence, promptLength(sequence))) {
        const victim = [...this.#running].at(-1);
        if (victim === undefined) break;
        this.#preempt(victim);
        prefills.delete(victim);
        preemptions += 1;
        if (victim === sequence) break;
      }
      if (this.#running.has(sequence)) {
        decodes.push(sequence);
        budget -= 1;
      }
    }
    while (budget > 0 && this.#running.size < this.#limits.maxNumSeqs) {
      // No new request is let in on the blocks that a preemption has just freed.
      if (preemptions > 0) break;
      const [next] = this.#waiting;
      if (next === undefined || !this.#reserve(next, promptLength(next))) break;
      this.#waiting.shift();
      this.#running.add(next);
      next.scheduledAt ??= this.#clock.now();
      budget -= this.#addPrefill(next, budget, prefills);
    }
    const running = decodes.filter((sequence) => this.#running.has(sequence));
    return {
      prefills,
      decodes: running,
      preemptions,
      prefillTokens: [...prefills.values()].reduce((sum, tokens) => sum + tokens, 0),
      contextTokens: running.reduce((sum, sequence) => sum + promptLength(sequence), 0),
    };
  }

  #addPrefill(sequence: Sequence, budget: number, prefills: Map<Sequence, number>): number {
    const tokens = Math.min(budget, promptLength(sequence) - sequence.computedPrompt);
    prefills.set(sequence, tokens);
    return tokens;
  }

  #complete(batch: Batch): void {
    const now = this.#clock.now();
    const firstTokenMs: number[] = [];
    const interTokenMs: number[] = [];
    const emitting: Sequence[] = batch.decodes.filter((sequence) => !sequence.done);
    for (const [sequence, tokens] of batch.prefills) {
      if (sequence.done) continue;
      sequence.computedPrompt += tokens;
      if (sequence.computedPrompt >= promptLength(sequence)) emitting.push(sequence);
    }
    for (const sequence of emitting) {
      if (sequence.firstTokenAt === undefined) {
        sequence.firstTokenAt = now;
        firstTokenMs.push(now - sequence.arrivedAt);
      } else {
        interTokenMs.push(now - sequence.lastTokenAt);
      }
      sequence.lastTokenAt = now;
      sequence.generated += 1;
      sequence.computedPrompt = promptLength(sequence);
      sequence.onToken(sequence.generated - 1);
      if (sequence.generated >= sequence.outputTokens) this.#finish(sequence, sequence.finishReason);
    }
    this.#report({
      prefillTokens: batch.prefillTokens,
      generatedTokens: emitting.length,
      preemptions: batch.preemptions,
      interTokenMs,
      firstTokenMs,
    });
  }

  #reserve(sequence: Sequence, tokens: number): boolean {
    const more = Math.ceil(tokens / this.#limits.blockSize) - sequence.blocks;
    if (more > this.#freeBlocks) return false;
    if (more > 0) {
      sequence.blocks += more;
      this.#freeBlocks -= more;
    }
    return true;
  }

  #release(sequence: Sequence): void {
    this.#freeBlocks += sequence.blocks;
    sequence.blocks = 0;
  }

  /** Gives up the blocks and starts over at the head of the queue, as vLLM recomputes. */
  #preempt(sequence: Sequence): void {
    this.#release(sequence);
    this.#running.delete(sequence);
    sequence.computedPrompt = 0;
    sequence.preemptions += 1;
    this.#waiting.unshift(sequence);
  }

  #finish(sequence: Sequence, reason: FinishReason): void {
    if (sequence.done) return;
    sequence.done = true;
    this.#release(sequence);
    this.#running.delete(sequence);
    const queued = this.#waiting.indexOf(sequence);
    if (queued >= 0) this.#waiting.splice(queued, 1);
    const { promptTokens, preemptions, arrivedAt, scheduledAt, firstTokenAt } = sequence;
    sequence.onFinish({
      reason,
      promptTokens,
      generatedTokens: sequence.generated,
      preemptions,
      arrivedAt,
      scheduledAt,
      firstTokenAt,
      finishedAt: this.#clock.now(),
    });
  }
}

interface Batch {
  readonly prefills: ReadonlyMap<Sequence, number>;
  readonly decodes: readonly Sequence[];
  readonly preemptions: number;
  readonly prefillTokens: number;
  readonly contextTokens: number;
}

/** Tokens that must be in the cache before the next one can be generated. */
function promptLength(sequence: Sequence): number {
  return sequence.promptTokens + sequence.generated;
}
