// The example of AKS with the real engine, unchanged but for the operator's image: from an empty subscription to 405B
// that answers, through what goes wrong on the way, and back.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import type { StateResource } from "../../infra/testing/pulumi.ts";
import { type CloudStack, cloudStack, platform, serving } from "../support/cloud-stack.ts";

const stack = "aks-nd-h100-v5";
const types = {
  cluster: "azure-native:containerservice:ManagedCluster",
  agentPool: "azure-native:containerservice:AgentPool",
  roleAssignment: "azure-native:authorization:RoleAssignment",
  release: "kubernetes:helm.sh/v3:Release",
};
const identity =
  "/subscriptions/s/resourceGroups/own/providers/Microsoft.ManagedIdentity/userAssignedIdentities/own";
const reservation =
  "/subscriptions/s/resourceGroups/own/providers/Microsoft.Compute/capacityReservationGroups/h100";

let aks: CloudStack;

beforeAll(async () => {
  aks = await cloudStack(stack, (cleanUp) => afterAll(cleanUp));
});

const nodeFacts = String.raw`{.status.allocatable.nvidia\.com/gpu} {.metadata.labels.topology\.kubernetes\.io/zone}`;

/** GPUs and zone of each node of the pool, a line each. */
const gpuNodes = async (): Promise<readonly string[]> => {
  const path = `jsonpath={range .items[*]}${nodeFacts}{"\\n"}{end}`;
  const text = await aks.get("nodes", "-l", "kubernetes.azure.com/agentpool=h100", "-o", path);
  return text.split("\n").filter((line) => line !== "");
};
const gpuNode = "8 eastus-1";

const h100 = () => aks.example.pools[0] ?? {};
const withPool = async (changes: object, sections: object = {}) =>
  aks.configure({ pools: [{ ...h100(), ...changes }], ...sections });
const idsOf = (type: string) =>
  aks.engine.clouds
    .read()
    .records.filter((record) => record.type === type)
    .map(({ id, serial }) => `${id} ${serial}`);

async function errorsOf(operation: "preview" | "up", project: string): Promise<string> {
  const result = await aks.run(operation, project);
  expect(result.exitCode).not.toBe(0);
  return errors(result.events).join("\n");
}

async function stateOf(type: string, name: string): Promise<StateResource | undefined> {
  const { deployment } = await aks.engine.stackExport(platform, stack);
  return deployment.resources?.find((each) => each.type === type && each.urn.endsWith(`::${name}`));
}

describe.sequential("the stack aks-nd-h100-v5", () => {
  test("says what the subscription lacks before anything is made", async () => {
    await withPool({ driver: "gpuOperator", infiniband: true });
    expect(await errorsOf("preview", platform)).toContain(
      "az feature register --namespace Microsoft.ContainerService --name AKSInfinibandSupport",
    );
    const capacity = { kind: "reserved", reservation, zone: "1" };
    await withPool({ capacity }, { cluster: { ...aks.example.cluster, identity } });
    const machineType = "Standard_ND96isr_H100_v5";
    const held = { name: "h100", zone: "1", machineType, count: 1 };
    await aks.engine.clouds.setAccount({ reservations: [held] });
    expect(await errorsOf("preview", platform)).toContain(
      "it holds 1 x Standard_ND96isr_H100_v5, and the pool may have 2: write nodes.max 1, or reserve more",
    );
    await aks.engine.clouds.setAccount({});
    await aks.configure();
  });

  test("is previewed without asking Azure for anything", async () => {
    expect(await aks.runAll("preview", [platform, serving])).toEqual([0, 0]);
    expect(aks.engine.clouds.read().records).toEqual([]);
    const asked = aks.engine.clouds.requests().map(({ operation }) => operation);
    expect(new Set(asked)).toEqual(new Set(["invoke"]));
  });

  test("finishes at the next try, whichever step is refused before", async () => {
    const faults = [
      { type: types.roleAssignment, name: "cluster-network" },
      { type: types.cluster, name: "cluster" },
      { type: types.release, name: "nvidia-device-plugin" },
    ];
    for (const fault of faults) {
      const message = `no ${fault.type} today`;
      await aks.engine.planFault({ ...fault, operation: "create", effect: "refuse", message });
      expect(await errorsOf("up", platform)).toContain(message);
    }
    expect(idsOf(types.cluster)).toHaveLength(1);
  });
});

describe.sequential("its pool of H100 nodes", () => {
  test("is refused by Azure where the quota is short, and made once it is not", async () => {
    // What the last test left is a pool: an add-on that fails keeps no capacity from being taken.
    expect(await gpuNodes()).toHaveLength(2);
    await aks.engine.clouds.setAccount({ quotas: { "standardNDSH100v5Family@eastus": 192 } });
    await withPool({ nodes: { min: 3, max: 3 } });
    expect(await errorsOf("up", platform)).toContain("Insufficient vcpu quota requested 288, remaining 192");
    await aks.engine.clouds.setAccount({});
    await aks.configure();
    expect((await aks.run("up", platform)).exitCode).toBe(0);
  });

  test("gives every node its GPUs, and 405B answers", async () => {
    expect((await aks.run("up", serving)).exitCode).toBe(0);
    expect(await gpuNodes()).toEqual([gpuNode, gpuNode]);
    expect(await aks.answerOf("llama", "llama-405b-fp8")).toContain("This answer comes from");
  });

  test("has nothing to do when it goes up again", async () => {
    for (const project of [platform, serving]) {
      const again = await aks.run("up", project);
      expect(again.exitCode).toBe(0);
      expect(Object.keys(resourceChanges(again.events))).toEqual(["same"]);
    }
  });

  test("keeps its options in the state, and no credential", async () => {
    const pool = await stateOf(types.agentPool, "h100");
    expect(pool?.customTimeouts).toMatchObject({ create: 3600, update: 7200, delete: 3600 });
    const component = await stateOf("llama-operator:aks:GpuNodePool", "h100");
    expect(component?.dependencies).toContain((await stateOf(types.cluster, "cluster"))?.urn);
    const text = JSON.stringify(await aks.engine.stackExport(platform, stack));
    expect(text).not.toContain("pulumi:providers:default");
    expect(text).toContain("kubelogin");
    expect(text).not.toMatch(/"token\\*":/);
  });

  test("grows and shrinks in place", async () => {
    await withPool({ nodes: { min: 3, max: 3 } });
    const grown = await aks.run("up", platform);
    expect(grown.exitCode).toBe(0);
    expect(steps(grown.events).filter((step) => !/^(?:same|read) /.test(step))).toEqual([
      `update ${types.agentPool} h100`,
    ]);
    expect(await gpuNodes()).toHaveLength(3);
    await aks.configure();
    expect((await aks.run("up", platform)).exitCode).toBe(0);
    expect(await gpuNodes()).toHaveLength(2);
  });

  test.each([
    ["vmSize", { machineShape: "Standard_ND96isr_H200_v5" }],
    ["gpuProfile.driver", { driver: "gpuOperator" }],
    ["availabilityZones", { zones: ["2"] }],
    ["osDiskType", { osDisk: { kind: "managed", sizeGib: 1024 } }],
  ])("is not replaced for a change of %s, in preview and up", async (field, changes) => {
    const before = idsOf(types.agentPool);
    await withPool(changes);
    for (const operation of ["preview", "up"] as const) {
      const said = await errorsOf(operation, platform);
      expect(said).toContain(`h100: ${field} `);
      expect(said).toContain("allowReplace: [h100]");
    }
    expect(idsOf(types.agentPool)).toEqual(before);
  });

  test("is replaced when it is named, the old one first", async () => {
    await withPool({ zones: ["2"] }, { allowReplace: ["h100"] });
    const replaced = await aks.run("up", platform);
    expect(replaced.exitCode).toBe(0);
    const asked = steps(replaced.events).filter((step) => step.endsWith("AgentPool h100"));
    expect(asked).toEqual([
      `delete-replaced ${types.agentPool} h100`,
      `replace ${types.agentPool} h100`,
      `create-replacement ${types.agentPool} h100`,
    ]);
    expect(await gpuNodes()).toHaveLength(2);
  });

  test("comes down with the rest, and leaves nothing in the subscription", async () => {
    expect(await aks.runAll("destroy", [serving, platform])).toEqual([0, 0]);
    expect(aks.engine.clouds.read().records).toEqual([]);
    expect(await gpuNodes()).toEqual([]);
  });
});
