// The public names of @llama-operator/kube-runtime/testing. Other parts can import these and nothing else.
export { FakeClock } from "./fake-clock.ts";
export { type Call, InMemoryKubeClient } from "./in-memory-client.ts";
