import { describe, expect, test } from "vitest";
import { expandVariables, programOf, type ReadData, resolveEnvironment } from "./environment.ts";
import type { Container, Pod } from "./pod.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "llama-0",
    namespace: "models",
    uid: "uid-1",
    resourceVersion: "1",
    labels: { "leaderworkerset.sigs.k8s.io/worker-index": "1" },
  },
  spec: { nodeName: "node-a", containers: [] },
  status: { podIP: "127.9.0.4" },
};

const read: ReadData = async (kind, namespace, name) => {
  if (kind === "Secret" && namespace === "models" && name === "hugging-face") return { token: "hf_x" };
  return kind === "ConfigMap" && name === "settings" ? { LEVEL: "3", MODE: "fast" } : undefined;
};

const resolve = (container: Omit<Container, "name">): Promise<Readonly<Record<string, string>>> =>
  resolveEnvironment({ name: "engine", ...container }, pod, { address: "127.9.255.1" }, read);

describe("the environment of a container", () => {
  test("takes literals, fields of the pod, resources, Secrets and ConfigMaps, and lets later values use earlier ones", async () => {
    const env = await resolve({
      envFrom: [{ configMapRef: { name: "settings" }, prefix: "APP_" }],
      resources: { limits: { "nvidia.com/gpu": "8" } },
      env: [
        { name: "PLAIN", value: "a" },
        { name: "USES", value: "$(PLAIN)-$(APP_MODE)-$(MISSING)-$$(PLAIN)" },
        { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
        {
          name: "RANK",
          valueFrom: {
            fieldRef: { fieldPath: "metadata.labels['leaderworkerset.sigs.k8s.io/worker-index']" },
          },
        },
        { name: "GPUS", valueFrom: { resourceFieldRef: { resource: "limits.nvidia.com/gpu" } } },
        { name: "HF_TOKEN", valueFrom: { secretKeyRef: { name: "hugging-face", key: "token" } } },
        { name: "MAYBE", valueFrom: { secretKeyRef: { name: "absent", key: "x", optional: true } } },
      ],
    });
    expect(env).toEqual({
      APP_LEVEL: "3",
      APP_MODE: "fast",
      PLAIN: "a",
      USES: "a-fast-$(MISSING)-$(PLAIN)",
      IP: "127.9.0.4",
      NODE: "node-a",
      RANK: "1",
      GPUS: "8",
      HF_TOKEN: "hf_x",
    });
  });

  test.each([
    ["Secret", { name: "absent", key: "token" }, 'secret "absent" not found'],
    [
      "key",
      { name: "hugging-face", key: "password" },
      "couldn't find key password in Secret models/hugging-face",
    ],
  ])("fails as a kubelet does where the %s is missing", async (_, secretKeyRef, message) => {
    await expect(resolve({ env: [{ name: "HF_TOKEN", valueFrom: { secretKeyRef } }] })).rejects.toThrow(
      message,
    );
  });
});

describe("what a container runs", () => {
  const image = "vllm/vllm-openai:v0.32.0";
  test.each([
    ["the image's own entrypoint", { image, args: ["m", "--port=80"] }, ["m", "--port=80"]],
    [
      "a command in full",
      { image: "any", command: ["vllm", "serve"], args: ["m", "--node-rank=$(RANK)"] },
      ["m", "--node-rank=1"],
    ],
    ["an absolute path", { image: "any", command: ["/usr/bin/vllm", "serve", "m"] }, ["m"]],
    [
      "a shell that only wraps it",
      { image, command: ["sh", "-c", "exec vllm serve m --rank $RANK --name 'a b'"] },
      ["m", "--rank", "1", "--name", "a b"],
    ],
  ])("is vLLM with %s", (_, container, argv) => {
    expect(programOf({ name: "c", ...container }, { RANK: "1" })).toEqual({ kind: "vllm", argv });
  });

  test.each([
    ["another image", { image: "nginx" }],
    ["another command of the vLLM image", { image, command: ["sleep", "1"] }],
    ["a script that does more", { image, command: ["sh", "-c", "setup && vllm serve m"] }],
  ])("is something else with %s", (_, container) => {
    expect(programOf({ name: "c", ...container }, {})).toEqual({ kind: "other" });
  });

  test("keeps references that nothing defines", () => {
    expect(expandVariables("$(A) $$(A) $(B)", { A: "1" })).toBe("1 $(A) $(B)");
  });
});
