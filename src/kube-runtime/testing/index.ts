// The public names of @llama-operator/kube-runtime/testing. Other parts can import these and nothing else.
export { FakeClock } from "./fake-clock.ts";
export { type Call, InMemoryKubeClient, type Write, lostAnswer } from "./in-memory-client.ts";
export { InMemoryApiServer, foregroundFinalizer } from "./in-memory-server.ts";
export type { RulesOfKinds } from "./kind-rules.ts";
