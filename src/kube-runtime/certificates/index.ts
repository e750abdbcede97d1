// The public names of @llama-operator/kube-runtime/certificates. Other parts can import these and nothing else.
export { type SelfSignedCertificate, selfSignedCertificate } from "./self-signed.ts";
