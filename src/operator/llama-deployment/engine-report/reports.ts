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

/** What was asked about one revision, and what came of it. */
export interface Inquiry {
  readonly uid: string;
  readonly revision: string;
  tries: number;
  /** Monotonic; not asked again before. */
  notBeforeMs: number;
  report?: KvCacheReport;
}

export class EngineReports {
  readonly #inquiries = new Map<string, Inquiry>();

  /** The report of a revision's engine, once it was read. */
  get({ ref, uid, revision }: ReportSubject): KvCacheReport | undefined {
    const inquiry = this.#inquiries.get(objectKey(ref));
    return inquiry?.uid === uid && inquiry.revision === revision ? inquiry.report : undefined;
  }

  /** The inquiry about a revision; a new one where the last was about another revision or object. */
  of({ ref, uid, revision }: ReportSubject): Inquiry {
    const key = objectKey(ref);
    const known = this.#inquiries.get(key);
    if (known?.uid === uid && known.revision === revision) return known;
    const inquiry: Inquiry = { uid, revision, tries: 0, notBeforeMs: Number.NEGATIVE_INFINITY };
    this.#inquiries.set(key, inquiry);
    return inquiry;
  }

  /** The object is gone. */
  forget(ref: ObjectRef): void {
    this.#inquiries.delete(objectKey(ref));
  }
}
