// The example of EKS with the real engine, unchanged but for the operator's image: from an empty account to 405B that
// answers, through what goes wrong on the way, and back.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { poolSteps } from "../../infra/guards/engine-steps.ts";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import type { StateResource } from "../../infra/testing/pulumi.ts";
import { type ExampleStack, exampleStack, platform, serving } from "../support/example-stack.ts";
import { eventually } from "../support/eventually.ts";

const stack = "eks-p5";
const types = {
  cluster: "aws:eks/cluster:Cluster",
  nodeGroup: "aws:eks/nodeGroup:NodeGroup",
  accessEntry: "aws:eks/accessEntry:AccessEntry",
  launchTemplate: "aws:ec2/launchTemplate:LaunchTemplate",
  release: "kubernetes:helm.sh/v3:Release",
};
const reservation = {
  name: "cr-0123456789abcdef0",
  zone: "us-east-1a",
  machineType: "p5.48xlarge",
  count: 3,
};

let eks: ExampleStack;

beforeAll(async () => {
  eks = await exampleStack(stack, (cleanUp) => afterAll(cleanUp));
  await eks.engine.clouds.setAccount({ reservations: [reservation] });
});

const nodeFacts = String.raw`{.status.allocatable.nvidia\.com/gpu} {.status.allocatable.vpc\.amazonaws\.com/efa} {.metadata.labels.topology\.kubernetes\.io/zone}`;

/** GPUs, EFA devices and zone of each node of the pool, a line each. */
const gpuNodes = async (): Promise<readonly string[]> => {
  const path = `jsonpath={range .items[*]}${nodeFacts}{"\\n"}{end}`;
  const text = await eks.get("nodes", "-l", "eks.amazonaws.com/nodegroup=h100", "-o", path);
  return text.split("\n").filter((line) => line !== "");
};
const gpuNode = "8 32 us-east-1a";

const h100 = () => eks.example.pools[0] ?? {};
const withPool = async (changes: object) => eks.configure({ pools: [{ ...h100(), ...changes }] });
const idsOf = (type: string) =>
  eks.engine.clouds
    .read()
    .records.filter((record) => record.type === type)
    .map(({ id, serial }) => `${id} ${serial}`);

async function errorsOf(operation: "preview" | "up" | "previewDestroy", project: string): Promise<string> {
  const result = await eks.run(operation, project);
  expect(result.exitCode).not.toBe(0);
  return errors(result.events).join("\n");
}

async function stateOf(type: string, name: string): Promise<StateResource | undefined> {
  const { deployment } = await eks.engine.stackExport(platform, stack);
  return deployment.resources?.find((each) => each.type === type && each.urn.endsWith(`::${name}`));
}

describe.sequential("the stack eks-p5", () => {
  test("says what the account lacks before anything is made", async () => {
    const quotas = { "Running On-Demand P instances": 192 };
    await eks.engine.clouds.setAccount({ quotas, reservations: [{ ...reservation, count: 1 }] });
    const said = await errorsOf("preview", platform);
    expect(said).toContain("the account lacks what the pools need; nothing was done");
    expect(said).toContain("it holds 1 x p5.48xlarge in us-east-1a, and the pool needs 2 x p5.48xlarge");
    expect(said).toContain(
      'h100 needs 384 vCPUs of EC2\'s quota "Running On-Demand P instances", which is 192',
    );
    await eks.engine.clouds.setAccount({ reservations: [reservation] });
  });

  test("is previewed by reading the account alone", async () => {
    expect(await eks.runAll("preview", [platform, serving])).toEqual([0, 0]);
    expect(eks.engine.clouds.read().records).toEqual([]);
    const asked = eks.engine.clouds.requests().map(({ operation }) => operation);
    expect(new Set(asked)).toEqual(new Set(["invoke"]));
  });

  test("finishes at the next try, whichever step is refused before", async () => {
    const faults = [
      { type: types.cluster, name: "cluster" },
      { type: types.release, name: "nvidia-device-plugin" },
      { type: types.launchTemplate, name: "h100" },
      { type: types.nodeGroup, name: "h100" },
    ];
    for (const fault of faults) {
      const message = `no ${fault.type} today`;
      await eks.engine.planFault({ ...fault, operation: "create", effect: "refuse", message });
      expect(await errorsOf("up", platform)).toContain(message);
    }
    expect(await gpuNodes()).toEqual([]);
    expect(idsOf(types.cluster)).toHaveLength(1);
  });

  test("keeps a pool that was made but not ready in time", async () => {
    const message = "timeout while waiting for state to become 'ACTIVE'";
    const fault = {
      type: types.nodeGroup,
      name: "h100",
      operation: "create",
      effect: "uninitialized",
    } as const;
    await eks.engine.planFault({ ...fault, message });
    expect(await errorsOf("up", platform)).toContain(message);
    const made = idsOf(types.nodeGroup);
    expect(made).toHaveLength(2);
    expect((await eks.run("up", platform)).exitCode).toBe(0);
    expect(idsOf(types.nodeGroup)).toEqual(made);
  });

  test("gives every node its GPUs and its network cards, and 405B answers", async () => {
    expect(await gpuNodes()).toEqual([gpuNode, gpuNode]);
    expect((await eks.run("up", serving)).exitCode).toBe(0);
    expect(await eks.answerOf("llama", "llama-405b-fp8")).toContain("This answer comes from");
  });

  test("has nothing to do when it goes up again", async () => {
    for (const project of [platform, serving]) {
      const again = await eks.run("up", project);
      expect(again.exitCode).toBe(0);
      expect(Object.keys(resourceChanges(again.events))).toEqual(["same"]);
    }
  });

  test("keeps its options in the state, and no credential", async () => {
    const group = await stateOf(types.nodeGroup, "h100");
    // A node more or less is the 15 minutes more or less that its pods may take to leave.
    expect(group).toMatchObject({
      protect: true,
      customTimeouts: { create: 3600, update: 5400, delete: 3600 },
    });
    // With a protected pool in it, whatever its own configuration says.
    expect((await stateOf(types.cluster, "cluster"))?.protect).toBe(true);
    const component = await stateOf("llama-operator:eks:GpuNodePool", "h100");
    const before = [
      await stateOf(types.nodeGroup, "cluster-system"),
      await stateOf(types.release, "nvidia-device-plugin"),
      await stateOf(types.release, "aws-efa-k8s-device-plugin"),
    ];
    expect(component?.dependencies).toEqual(expect.arrayContaining(before.map((each) => each?.urn)));
    const text = JSON.stringify(await eks.engine.stackExport(platform, stack));
    expect(text).not.toContain("pulumi:providers:default");
    expect(text).toContain("get-token");
    expect(text).not.toMatch(/"token\\*":/);
  });

  test("grows a pool in place, as far as the reservation goes", async () => {
    await withPool({ nodes: { min: 4, max: 4 } });
    expect(await errorsOf("preview", platform)).toContain("it holds 3 x p5.48xlarge");
    await withPool({ nodes: { min: 3, max: 3 } });
    const grown = await eks.run("up", platform);
    expect(grown.exitCode).toBe(0);
    expect(steps(grown.events).filter((step) => !/^(?:same|read) /.test(step))).toEqual([
      `update ${types.nodeGroup} h100`,
    ]);
    expect(await gpuNodes()).toEqual([gpuNode, gpuNode, gpuNode]);
    expect((await eks.run("up", serving)).exitCode).toBe(0);
  });

  test("refuses what would replace the pool, in preview and up, and touches nothing", async () => {
    const before = idsOf(types.nodeGroup);
    await withPool({ nodes: { min: 3, max: 3 }, zones: ["us-east-1b"] });
    for (const operation of ["preview", "up"] as const) {
      const said = await errorsOf(operation, platform);
      expect(said).toContain("this change would replace 1 GPU pool; nothing was done");
      expect(said).toContain('h100: subnetIds ["us-east-1a"] -> ["us-east-1b"]');
      expect(said).toContain("allowReplace: [h100]");
    }
    // The engine would show no replacement, nor would protection stop it: EKS keeps the group, and ends its nodes.
    const other = { kind: "reserved", reservation: "cr-0fedcba9876543210" };
    await withPool({ nodes: { min: 3, max: 3 }, capacity: other });
    expect(await errorsOf("preview", platform)).toContain(
      "h100: launchTemplate.capacityReservationSpecification",
    );
    expect(idsOf(types.nodeGroup)).toEqual(before);
    await withPool({ nodes: { min: 3, max: 3 } });
  });

  test("takes no pool away from a model, whether that stays configured or not", async () => {
    const before = idsOf(types.nodeGroup);
    await withPool({ name: "renamed", nodes: { min: 3, max: 3 } });
    expect(await errorsOf("preview", platform)).toContain(
      "pool h100 would go, and llama/llama-405b-fp8 runs on it",
    );
    await eks.configure({ pools: [] });
    expect(await errorsOf("up", platform)).toContain("what cannot run as written; nothing was done");
    expect(idsOf(types.nodeGroup)).toEqual(before);
    await withPool({ nodes: { min: 3, max: 3 } });
  });

  test("gives a tag to everything but the nodes that are there", async () => {
    const grown = { ...h100(), nodes: { min: 3, max: 3 } };
    await eks.configure({ cluster: { ...eks.example.cluster, tags: { team: "serving" } }, pools: [grown] });
    expect((await eks.run("up", platform)).exitCode).toBe(0);
    const group = await stateOf(types.nodeGroup, "h100");
    expect(group?.inputs).toMatchObject({ tags: { team: "serving" }, launchTemplate: { version: "1" } });
    await withPool({ nodes: { min: 3, max: 3 } });
    expect((await eks.run("up", platform)).exitCode).toBe(0);
  });

  test("rolls a pool onto a new launch template without giving it up, whoever is not let in", async () => {
    const before = idsOf(types.nodeGroup);
    // The first of them has made the cluster, and so has its entry already.
    const administrators = ["platform-engineers", "on-call"].map(
      (role) => `arn:aws:iam::123456789012:role/${role}`,
    );
    const pools = [{ ...h100(), nodes: { min: 3, max: 3 }, rootVolumeGib: 200 }];
    await eks.configure({ cluster: { ...eks.example.cluster, administrators }, pools });
    const preview = await eks.run("preview", platform);
    expect(preview.output).toContain(
      "nodes of a GPU pool will be made anew, one at a time, the old one first: up to 3 nodes of h100",
    );
    expect(steps(preview.events)).toContain(`update ${types.nodeGroup} h100`);
    const asked = await eks.run("preview", platform, { args: ["--json"] });
    expect(poolSteps(asked.standardOutput)).toEqual([
      { pool: "h100", effect: "changed in place", reasons: [] },
    ]);
    const message = "InvalidParameterException: The specified principalArn is invalid";
    const fault = {
      type: types.accessEntry,
      name: "cluster-on-call",
      operation: "create",
      effect: "refuse",
    } as const;
    await eks.engine.planFault({ ...fault, message });
    expect(await errorsOf("up", platform)).toContain(message);
    expect(idsOf(types.accessEntry)).toEqual([]);
    expect(idsOf(types.nodeGroup)).toEqual(before);
    const group = await stateOf(types.nodeGroup, "h100");
    expect(group?.inputs?.["launchTemplate"]).toMatchObject({ version: "2" });
  });

  test("is found again where the engine is killed while AWS makes another pool", async () => {
    const more = { ...h100(), name: "more", nodes: { min: 1, max: 1 }, capacity: { kind: "onDemand" } };
    const pools = [{ ...h100(), nodes: { min: 3, max: 3 }, rootVolumeGib: 200 }];
    await eks.configure({ pools: [...pools, more] });
    const fault = { operation: "create", type: types.nodeGroup, name: "more" } as const;
    await eks.engine.planFault({ ...fault, effect: "hangAfterwards" });
    const kill = new AbortController();
    const going = eks.run("up", platform, { signal: kill.signal });
    const isThere = async () => {
      const nodes = await eks.get("nodes", "-l", "eks.amazonaws.com/nodegroup=more", "-o", "name");
      return nodes === "" ? undefined : true;
    };
    await eventually("the second pool has a node", isThere, 120);
    kill.abort();
    expect((await going).exitCode).toBeNull();
    expect((await eks.run("cancel", platform)).exitCode).toBe(0);
    expect(await errorsOf("up", platform)).toContain("NodeGroup already exists with name more");

    const urn = async (type: string, name: string) => (await stateOf(type, name))?.urn ?? "";
    const args = [
      types.nodeGroup,
      "more",
      "llama:more",
      `--provider=aws=${await urn("pulumi:providers:aws", "aws")}`,
      `--parent=pool=${await urn("llama-operator:eks:GpuNodePool", "more")}`,
    ];
    expect((await eks.engine.importResource(platform, stack, { args })).exitCode).toBe(0);
    const before = idsOf(types.nodeGroup);
    expect((await eks.run("up", platform)).exitCode).toBe(0);
    expect(idsOf(types.nodeGroup)).toEqual(before);
    await eks.configure({ pools });
    expect((await eks.run("up", platform)).exitCode).toBe(0);
    expect(idsOf(types.nodeGroup)).toHaveLength(2);
  });

  test("refuses to go while its capacity is protected, and everything stays", async () => {
    const records = eks.engine.clouds.read().records.length;
    expect(await errorsOf("previewDestroy", serving)).toContain("protect");
    expect(await errorsOf("previewDestroy", platform)).toContain("protect");
    expect(eks.engine.clouds.read().records).toHaveLength(records);
    expect(await eks.answerOf("llama", "llama-405b-fp8")).toContain("This answer comes from");
  });

  test("comes down when it may, and leaves nothing in the account", async () => {
    await withPool({ nodes: { min: 3, max: 3 }, rootVolumeGib: 200, protect: false });
    expect(await eks.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await eks.runAll("destroy", [serving, platform])).toEqual([0, 0]);
    expect(eks.engine.clouds.read().records).toEqual([]);
    expect(await gpuNodes()).toEqual([]);
  });
});
