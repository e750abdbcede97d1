import { expect, test } from "vitest";
import { llamaDeploymentSpec } from "@llama-operator/llama/api";
import type { LlamaDeployment } from "./kinds.ts";
import { isReady, tableLines } from "./table.ts";

type Status = NonNullable<LlamaDeployment["status"]>;
type Condition = NonNullable<Status["conditions"]>[number];

const condition = (type: string, status: Condition["status"], reason: string): Condition => ({
  type,
  status,
  reason,
  message: `${reason} said`,
  lastTransitionTime: "2026-11-23T12:00:00Z",
});

function deployment(name: string, status?: Partial<Status>): LlamaDeployment {
  return {
    apiVersion: "llama-operator.dev/v1alpha1",
    kind: "LlamaDeployment",
    metadata: { name, generation: 1 },
    spec: llamaDeploymentSpec.parse({ model: { name: "llama-3.1-8b-instruct" } }),
    ...(status === undefined ? {} : { status: { observedGeneration: 1, ...status } }),
  };
}

const plain = (_tone: string, text: string) => text;

test("an object that the operator has not seen is pending", () => {
  expect(tableLines([deployment("llama-8b")], plain)).toEqual(["llama-8b   -               0/1     Pending"]);
});

test("a ready one says so and no more", () => {
  const object = deployment("llama-8b", {
    readyReplicas: 1,
    conditions: [condition("Ready", "True", "Serving")],
  });
  expect(tableLines([object], plain)).toEqual(["llama-8b   -               1/1     Ready"]);
  expect(isReady(object)).toBe(true);
});

test("a waiting one says what it waits for", () => {
  const object = deployment("llama-8b", {
    conditions: [
      condition("Ready", "False", "ReplicasUnavailable"),
      condition("Planned", "True", "Fits"),
      condition("Scheduled", "True", "PodsScheduled"),
      condition("ModelLoaded", "False", "Loading"),
    ],
  });
  expect(tableLines([object], plain)[0]).toMatch(/Loading: Loading said$/);
});

test("a stalled one is told in the tone of trouble", () => {
  const object = deployment("llama-8b", {
    conditions: [condition("Ready", "False", "DoesNotFit"), condition("Stalled", "True", "DoesNotFit")],
  });
  const tones = tableLines([object], (tone, text) => `${tone} ${text}`);
  expect(tones[0]).toContain("bad DoesNotFit: DoesNotFit said");
});

test("a status of an earlier generation counts as none", () => {
  const object = deployment("llama-8b", {
    observedGeneration: 0,
    conditions: [condition("Ready", "True", "Serving")],
  });
  expect(isReady(object)).toBe(false);
});
