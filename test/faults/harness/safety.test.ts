import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/kube-runtime/client/object.ts";
import type { HistoryEvent } from "./history.ts";
import { violations } from "./safety.ts";

let resourceVersion = 0;

function event(kind: string, name: string, rest: object, metadata: object = {}): HistoryEvent {
  resourceVersion += 1;
  const object = {
    apiVersion: "v1",
    kind,
    metadata: { namespace: "a", name, uid: name, resourceVersion: String(resourceVersion), ...metadata },
    ...rest,
  } satisfies KubeObject & object;
  return { type: "ADDED", object };
}

const owner = { apiVersion: "v1", kind: "LlamaDeployment", name: "llama", uid: "llama", controller: true };
const ofRevision = {
  labels: { "llama-operator.dev/revision": "1", "llama-operator.dev/deployment": "llama" },
  ownerReferences: [owner],
};
const containers = (gpus: number) => [{ resources: { requests: { "nvidia.com/gpu": String(gpus) } } }];
const revision = event(
  "ControllerRevision",
  "llama-1",
  { data: { plan: { tensor: 2, pipeline: 1, nodesPerReplica: 1 } } },
  ofRevision,
);
const deployment = (name: string, gpus: number) =>
  event("Deployment", name, { spec: { template: { spec: { containers: containers(gpus) } } } }, ofRevision);
const pod = (name: string, ready: boolean) =>
  event(
    "Pod",
    name,
    {
      spec: { containers: containers(2) },
      status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
    },
    ofRevision,
  );
const llama = (observedGeneration: number, generation: number, ready = "True") =>
  event(
    "LlamaDeployment",
    "llama",
    {
      spec: { replicas: 2 },
      status: { observedGeneration, currentRevision: "1", conditions: [{ type: "Ready", status: ready }] },
    },
    { generation },
  );

const found = (...history: readonly HistoryEvent[]) =>
  violations(history).map((violation) => violation.replace(/^at \d+: /, ""));

test("a history in which all is well has no violations", () => {
  expect(found(revision, deployment("one", 2), pod("p", true), pod("q", true), llama(1, 1))).toEqual([]);
});

test("two workloads of one revision are found", () => {
  expect(found(revision, deployment("one", 2), deployment("two", 2))).toEqual([
    "Deployment two and one are both revision 1 of llama",
  ]);
});

test("pods that ask for other GPUs than planned are found", () => {
  expect(found(revision, deployment("one", 8))).toEqual(["Deployment one asks for 8 GPUs, planned are 2"]);
});

test("a workload that comes before its revision is stored is found", () => {
  expect(found(deployment("one", 2))).toEqual(["Deployment one has no ControllerRevision"]);
});

test("a status that says Ready while a rank is not is found", () => {
  expect(found(revision, pod("p", true), pod("q", false), llama(1, 1))).toEqual([
    "llama says Ready with 1 of 2 ranks with 2 of 4 GPUs",
  ]);
});

test("an observed generation that goes back, or ahead, is found", () => {
  expect(found(llama(2, 3, "False"), llama(1, 3, "False"), llama(4, 3, "False"))).toEqual([
    "llama: observedGeneration 2 went back to 1",
    "llama observed generation 4 of 3",
  ]);
});
