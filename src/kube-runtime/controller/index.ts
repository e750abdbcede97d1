// The public names of @llama-operator/kube-runtime/controller. Other parts can import these and nothing else.
export { Controller, type ReconcileContext, type ReconcileResult, type Reconciler } from "./controller.ts";
export { specChanged, toController, toLabelled, toSelf } from "./enqueue.ts";
