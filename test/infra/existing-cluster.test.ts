// The example for a cluster that is there, as its people run it: a kubeconfig by path, LeaderWorkerSet from its chart.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errors } from "../../infra/testing/engine/events.ts";
import { type ExampleStack, exampleStack, platform, serving } from "../support/example-stack.ts";

let existing: ExampleStack;
let here: { readonly kind: "kubeconfig"; readonly path: string };

beforeAll(async () => {
  existing = await exampleStack("existing", (cleanUp) => afterAll(cleanUp));
  here = { kind: "kubeconfig", path: existing.cluster.kubeconfigPath };
});

/** All nodes of the local cluster have GPUs, and a taint that keeps others away. */
const onAnyNode = () => ({
  ...existing.example.operator,
  replicas: 1,
  values: { operator: { tolerations: [{ operator: "Exists" }] } },
});

describe.sequential("a cluster that is there", () => {
  test("is named by what its kubeconfig lacks, before anything is registered", async () => {
    await existing.configure({ cluster: { ...here, context: "production" }, operator: onAnyNode() });
    const refused = await existing.run("preview", platform);
    expect(refused.exitCode).not.toBe(0);
    expect(errors(refused.events).join("\n")).toContain("has no context production; it has");
  });

  test("ends with 405B that answers", async () => {
    await existing.configure({ cluster: here, operator: onAnyNode() });
    expect(await existing.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await existing.get("namespace", "lws-system", "-o", "name")).toBe("namespace/lws-system\n");
    expect(await existing.answerOf("llama", "llama-405b-fp8")).toContain("This answer comes from");
  });

  test("is left as it was, but for the kinds", async () => {
    expect(await existing.runAll("destroy", [serving, platform])).toEqual([0, 0]);
    await expect(existing.get("namespace", "lws-system")).rejects.toThrow("not found");
    await expect(existing.get("namespace", "llama")).rejects.toThrow("not found");
    expect((await existing.get("nodes", "-o", "name")).trim().split("\n")).toHaveLength(4);
  });
});
