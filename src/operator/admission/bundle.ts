// The caBundle of a webhook configuration, shared by all replicas of the operator: each adds its own certificates and
// leaves the others', so that the API server trusts whichever replica it reaches. Pure; the same certificates always
// give the same text, so that replicas agree on when nothing is to be written.
import { X509Certificate } from "node:crypto";

/** Two, because a replica publishes its next certificate while it still serves the one before. */
const certificatesPerReplica = 2;

/** Bounds what restarts leave behind until it expires: 32 certificates are about 20 kB of an object. */
const mostCertificates = 32;

interface Entry {
  readonly pem: string;
  readonly owner: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Adds `own` to a bundle, and drops what has expired, what is not a certificate, and the oldest where there are too
 * many, never one of `own`. Bundles are PEM in base64, as the API writes bytes.
 */
export function bundleWith(bundle: string | undefined, own: readonly string[], nowMs: number): string {
  const mine = own.flatMap(entriesOf);
  const minePem = new Set(mine.map(({ pem }) => pem));
  const others = unique(entriesOf(Buffer.from(bundle ?? "", "base64").toString("latin1")))
    .filter(({ pem, notAfterMs }) => !minePem.has(pem) && notAfterMs > nowMs)
    .sort((one, other) => other.notBeforeMs - one.notBeforeMs);
  const counts = new Map<string, number>();
  for (const { owner } of mine) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  const kept = others
    .filter(({ owner }) => {
      const count = (counts.get(owner) ?? 0) + 1;
      counts.set(owner, count);
      return count <= certificatesPerReplica;
    })
    .slice(0, mostCertificates - mine.length);
  const text = [...mine, ...kept]
    .sort((one, other) => one.notBeforeMs - other.notBeforeMs || (one.pem < other.pem ? -1 : 1))
    .map(({ pem }) => pem)
    .join("");
  return Buffer.from(text, "latin1").toString("base64");
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function entriesOf(text: string): readonly Entry[] {
  return (text.match(pemBlock) ?? []).flatMap((block) => {
    try {
      const certificate = new X509Certificate(block);
      return [
        {
          pem: certificate.toString(),
          owner: certificate.subject,
          notBeforeMs: Date.parse(certificate.validFrom),
          notAfterMs: Date.parse(certificate.validTo),
        },
      ];
    } catch {
      return [];
    }
  });
}

function unique(entries: readonly Entry[]): Entry[] {
  return [...new Map(entries.map((entry) => [entry.pem, entry])).values()];
}
