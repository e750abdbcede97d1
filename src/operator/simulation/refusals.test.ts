// What the API server refuses, and what it refuses to the controllers that make the pods: a quota, an admission policy, a
// ServiceAccount that is not there. Every pass ends in a status that says so, and goes on soon after the cause is gone.
import { expect, test } from "vitest";
import { ApiError } from "@llama-operator/kube-runtime/client";
import type { PodObject } from "../testing/cluster/objects.ts";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const longer = { context: { maxTokens: 65_536 } } as const;
const policy = new ApiError("simulated", {
  code: 422,
  reason: "Invalid",
  message: "ValidatingAdmissionPolicy 'no-gpus' denied request",
});
const broken = new ApiError("simulated", { code: 500, reason: "InternalError", message: "webhook is away" });
const manyTimes = 100_000;

function quota(pod: PodObject, used = 0): string {
  const gpus = pod.spec.containers[0]?.resources?.limits?.["nvidia.com/gpu"] ?? "0";
  return (
    `pods "${pod.metadata?.name}" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=${gpus}, ` +
    `used: requests.nvidia.com/gpu=${used}, limited: requests.nvidia.com/gpu=0`
  );
}

/** Within two minutes, not a quarter of an hour. */
async function serves(sim: Simulation, name: string): Promise<void> {
  await sim.until(`${name} is ready`, () => sim.condition(name, "Ready")?.status === "True", 240);
}

test.each([
  ["refused by a policy", policy, "WriteRefused", "no-gpus"],
  ["answered by an error", broken, "WriteFailed", "webhook is away"],
] as const)(
  "an object whose first write is %s has a status that says so",
  async (_, error, reason, message) => {
    const sim = simulate();
    sim.refuse({ verb: "apply", kind: "Deployment" }, error, manyTimes);
    sim.llama("chat", oneGpu);
    await sim.pass(5);
    sim.expectCondition("chat", { type: "Ready", status: "False", reason, message });
    sim.expectCondition("chat", { type: "Reconciling", status: "True", reason });
    sim.expectNoCondition("chat", "Stalled");
    await sim.pass(600);
    sim.forgetWrites();
    await sim.pass(3600);
    expect(sim.written()).toEqual([]);
    expect(sim.events("chat")).toContain(`Warning ${reason}`);
  },
);

test.each([
  ["refused", policy, "WriteRefused"],
  ["answered by an error", broken, "WriteFailed"],
] as const)("an edit that is %s is not Ready, and what serves goes on", async (_, error, reason) => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.refuse({ verb: "apply", kind: "Deployment" }, error, manyTimes);
  sim.edit("chat", longer);
  await sim.pass(60);
  sim.expectCondition("chat", { type: "Ready", status: "False", reason });
  sim.expectCondition("chat", { type: "Available", status: "True" });
  expect(sim.endpoints("chat")).toEqual(before);
});

test("an error that passes by is no news of an object that serves", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.refuse({ verb: "apply", kind: "Service" }, broken, 3);
  sim.forgetWrites();
  sim.delete("Service", "chat");
  await sim.settle();
  expect(sim.written()).toEqual(["create Service chat"]);
});

test("an error that stays is told of an object that serves, and is over soon after its cause", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const { server } = sim.cluster;
  const apply = server.apply.bind(server);
  let isBroken = true;
  server.apply = (type, intent, how) => {
    if (isBroken && type.kind === "Service") throw broken;
    return apply(type, intent, how);
  };
  sim.delete("Service", "chat");
  await sim.pass(4 * 3600);
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "WriteFailed" });
  isBroken = false;
  await serves(sim, "chat");
});

test("while new pods' Deployment is refused, fewer replicas are fewer replicas", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  const { server } = sim.cluster;
  const apply = server.apply.bind(server);
  server.apply = (type, intent, how) => {
    if (type.kind === "Deployment" && server.get(type, intent.metadata as never) === undefined) throw policy;
    return apply(type, intent, how);
  };
  sim.edit("chat", { ...longer, replicas: 1 });
  await sim.pass(600);
  expect(sim.endpoints("chat")).toHaveLength(1);
  sim.scale("chat", 0);
  await sim.pass(600);
  expect(sim.pods("chat")).toEqual([]);
});

test.each([
  ["Deployment", oneGpu, () => true],
  ["group", twoNodes, () => true],
  ["group's workers", twoNodes, ({ metadata }: PodObject) => metadata?.name?.endsWith("-0") !== true],
] as const)(
  "pods of a %s that a quota refuses are told, without names and numbers that change",
  async (...given) => {
    const [, spec, isRefused] = given;
    const sim = simulate({ nodes: 2 });
    let used = 0;
    sim.refusePods((pod) => (isRefused(pod) ? quota(pod, used++) : undefined));
    sim.llama("chat", spec);
    await sim.pass(60);
    const told = {
      status: "False",
      reason: "PodsRefused",
      message: "exceeded quota: gpus, requested: requests.nvidia.com/gpu=",
    } as const;
    sim.expectCondition("chat", { type: "Ready", ...told });
    sim.expectCondition("chat", { type: "Scheduled", ...told });
    expect(sim.condition("chat", "Ready")?.message).not.toMatch(/, used|"chat-/);
    expect(sim.events("chat")).toContain("Warning PodsRefused");
    sim.forgetWrites();
    await sim.pass(3600);
    expect(sim.written()).toEqual([]);
    sim.refusePods(() => undefined);
    await serves(sim, "chat");
  },
);

test("further pods that are refused are told while the others serve", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.refusePods(quota);
  sim.scale("chat", 2);
  await sim.pass(60);
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "PodsRefused" });
  sim.expectCondition("chat", { type: "Available", status: "True" });
  sim.scale("chat", 1);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a ServiceAccount that is not there is told", async () => {
  const sim = simulate();
  sim.refusePods(
    ({ metadata, spec }) =>
      `pods "${metadata?.name}" is forbidden: error looking up service account models/typo: serviceaccount "typo" ` +
      `not found (${spec.containers.length})`,
  );
  sim.llama("chat", { ...oneGpu, podTemplate: { serviceAccountName: "typo" } });
  await sim.pass(60);
  const message = 'serviceaccount "typo" not found';
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "PodsRefused", message });
});

test("a refusal of long ago is not told of a group that is just made anew", async () => {
  const sim = simulate({ nodes: 2 });
  sim.refusePods(quota);
  sim.llama("chat", twoNodes);
  await sim.pass(60);
  sim.refusePods(() => undefined);
  await serves(sim, "chat");
  sim.deletePod(sim.pods("chat")[0]);
  for (let second = 0; second < 30; second += 1) {
    await sim.pass(1);
    expect(sim.condition("chat", "Ready")?.reason).not.toBe("PodsRefused");
  }
});
