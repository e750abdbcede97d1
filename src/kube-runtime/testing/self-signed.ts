// The certificate of a test's server on this machine.
import { selfSignedCertificate, type SelfSignedCertificate } from "../certificates/self-signed.ts";

/** For 127.0.0.1 and localhost, from an hour ago until tomorrow. */
export function localCertificate(): SelfSignedCertificate {
  return selfSignedCertificate({
    commonName: "test API server",
    names: ["127.0.0.1", "localhost"],
    notBeforeMs: Date.now() - 3_600_000,
    notAfterMs: Date.now() + 86_400_000,
  });
}
