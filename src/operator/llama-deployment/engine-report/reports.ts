// The engines' reports that were read and are not in a status yet, and how often each was asked for. Lost with the
// process: a status that holds a report needs none, and for any other asking again costs one request.
import type { KvCacheReport } from "@llama-operator/llama/engines";
import { objectKey, type ObjectRef } from "@llama-operator/kube-runtime/client";

/** One revision of one object. */
export interface ReportSubject {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly revision: string;
}

/** How the question for one revision's report stands. */
export interface ReportAttempt {
  /** Times that an engine was asked. */
  readonly tries: number;
  /** Monotonic: not asked again before; infinite where it is not asked again at all. */
  readonly notBeforeMs: number;
  readonly report?: KvCacheReport;
}

interface SubjectAttempt extends ReportAttempt {
  readonly uid: string;
  readonly revision: string;
}

const untried: ReportAttempt = { tries: 0, notBeforeMs: Number.NEGATIVE_INFINITY };

export class EngineReports {
  readonly #attempts = new Map<string, SubjectAttempt>();

  /** The report of a revision's engine, once it was read. */
  get(subject: ReportSubject): KvCacheReport | undefined {
    return this.attempt(subject).report;
  }

  /** How it stands with a revision's report; untried where the last question was about another revision or object. */
  attempt({ ref, uid, revision }: ReportSubject): ReportAttempt {
    const known = this.#attempts.get(objectKey(ref));
    return known?.uid === uid && known.revision === revision ? known : untried;
  }

  /** Keeps how it stands now, in place of whatever was known of the object. */
  set({ ref, uid, revision }: ReportSubject, attempt: ReportAttempt): void {
    this.#attempts.set(objectKey(ref), { ...attempt, uid, revision });
  }

  /** The object is gone. */
  forget(ref: ObjectRef): void {
    this.#attempts.delete(objectKey(ref));
  }
}
