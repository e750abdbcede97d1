import { expect, test } from "vitest";
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import { applyAll } from "./apply.ts";

const objects: readonly KubeObject[] = ["Service", "Deployment"].map((kind) => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "llama" },
}));

test("a write that fails fails the pass only when the writes beside it have ended", async () => {
  const slow = Promise.withResolvers<void>();
  const refused = new Error("refused");
  const applier = {
    apply: async (_type: unknown, { kind }: KubeObject) => {
      if (kind === "Service") throw refused;
      await slow.promise;
    },
  } as unknown as Pick<Applier, "apply">;
  let ended = false;
  const applying = applyAll(applier, objects, {
    request: { name: "llama" },
    signal: new AbortController().signal,
  })
    .catch((error: unknown) => error)
    .finally(() => {
      ended = true;
    });
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(ended).toBe(false);
  slow.resolve();
  expect(await applying).toBe(refused);
});
