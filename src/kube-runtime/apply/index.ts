// The public names of @llama-operator/kube-runtime/apply. Other parts can import these and nothing else.
export { type Applied, Applier, type ApplyContext } from "./applier.ts";
export { findAdditions } from "./additions.ts";
