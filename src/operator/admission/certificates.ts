// The certificates of one replica's webhook over time. Keys are made here and never leave the process: nothing to
// store, to mount or to leak, and no right on Secrets.
//
// Guarantees
// - A certificate is served only after it has been in the bundle for `overlap`, so that API servers have heard of it;
//   the first one, and one under new names, at once, because nothing else could be served.
// - The next one is made at two thirds of a certificate's life: a third is left to publish it.
import { selfSignedCertificate, type SelfSignedCertificate } from "@llama-operator/kube-runtime/certificates";

export interface ServingCertificatesOptions {
  /** Names this replica in the bundle; kept across restarts of its container. */
  readonly owner: string;
  /** Default seven days. */
  readonly validitySeconds?: number | undefined;
}

const weekSeconds = 7 * 86_400;
const renewAtShare = 2 / 3;
/** Of the life: seven hours of a week. API servers hear of a change in seconds. */
const overlapShare = 1 / 24;
/** How far the clocks of API servers may be behind ours. */
const backdateMs = 3_600_000;
/** X.520 bounds a common name. */
const commonNameLength = 64;

interface Made {
  readonly certificate: SelfSignedCertificate;
  readonly names: readonly string[];
  readonly madeAtMs: number;
  publishedAtMs?: number;
}

export class ServingCertificates {
  readonly #owner: string;
  readonly #validityMs: number;
  #current: Made | undefined;
  #next: Made | undefined;

  constructor({ owner, validitySeconds = weekSeconds }: ServingCertificatesOptions) {
    // The end of a pod's name is what tells it from the others.
    this.#owner = owner.slice(-commonNameLength);
    this.#validityMs = validitySeconds * 1000;
  }

  /** The one to serve; none before the first {@link rotate}. */
  get serving(): SelfSignedCertificate | undefined {
    return this.#current?.certificate;
  }

  /** Makes and changes over what is due. @returns the certificates that the bundle must hold, for a server under `names` */
  rotate(names: readonly string[], nowMs: number): readonly string[] {
    const current = this.#current;
    if (current === undefined || !sameNames(current.names, names) || this.#hasExpired(current, nowMs)) {
      this.#current = this.#make(names, nowMs);
      this.#next = undefined;
    } else if (this.#next === undefined) {
      if (nowMs >= this.#renewAtMs(current)) this.#next = this.#make(names, nowMs);
    } else if (nowMs >= this.#serveAtMs(this.#next)) {
      this.#current = this.#next;
      this.#next = undefined;
    }
    return this.#all().map(({ certificate }) => certificate.cert);
  }

  /** The bundle holds what {@link rotate} returned. */
  published(nowMs: number): void {
    for (const made of this.#all()) made.publishedAtMs ??= nowMs;
  }

  /** When {@link rotate} has something to do again, were nothing else to happen. */
  dueAtMs(): number {
    if (this.#next !== undefined) return this.#serveAtMs(this.#next);
    return this.#current === undefined ? Number.POSITIVE_INFINITY : this.#renewAtMs(this.#current);
  }

  #all(): readonly Made[] {
    return [this.#current, this.#next].filter((made) => made !== undefined);
  }

  #make(names: readonly string[], nowMs: number): Made {
    const certificate = selfSignedCertificate({
      commonName: this.#owner,
      names,
      notBeforeMs: nowMs - backdateMs,
      notAfterMs: nowMs + this.#validityMs,
    });
    return { certificate, names, madeAtMs: nowMs };
  }

  #hasExpired({ madeAtMs }: Made, nowMs: number): boolean {
    return nowMs >= madeAtMs + this.#validityMs;
  }

  #renewAtMs({ madeAtMs }: Made): number {
    return madeAtMs + this.#validityMs * renewAtShare;
  }

  /** Not before it is published, however long that takes. */
  #serveAtMs({ publishedAtMs = Number.POSITIVE_INFINITY }: Made): number {
    return publishedAtMs + this.#validityMs * overlapShare;
  }
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}
