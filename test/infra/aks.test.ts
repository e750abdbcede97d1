// The example of AKS with the real engine, unchanged but for the operator's image: from an empty subscription to 405B
// that answers, through what goes wrong on the way, and back.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import type { StateResource } from "../../infra/testing/pulumi.ts";
import { type ExampleStack, exampleStack, platform, serving } from "../support/example-stack.ts";
import { eventually } from "../support/eventually.ts";

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

const reservedPool = {
  capacity: { kind: "reserved", reservation, zone: "2" },
  zones: ["2"],
  driver: "gpuOperator",
  infiniband: true,
};

let aks: ExampleStack;

beforeAll(async () => {
  aks = await exampleStack(stack, (cleanUp) => afterAll(cleanUp));
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
/** The example's model, over two nodes. */
const wide = () => ({
  ...aks.example.models[0],
  name: "llama-405b-wide",
  spec: {
    model: { name: "llama-3.1-405b-instruct" },
    quantization: { weights: "fp8" },
    parallelism: { tensor: 8, pipeline: 2 },
  },
});
const withPool = async (changes: object, sections: object = {}) =>
  aks.configure({ pools: [{ ...h100(), ...changes }], ...sections });
const idsOf = (type: string) =>
  aks.engine.clouds
    .read()
    .records.filter((record) => record.type === type)
    .map(({ id, serial }) => `${id} ${serial}`);

async function errorsOf(operation: "preview" | "up" | "previewDestroy", project: string): Promise<string> {
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

  test("is not replaced for what AKS cannot change, in preview and up", async () => {
    const before = idsOf(types.agentPool);
    await withPool({
      machineShape: "Standard_ND96isr_H200_v5",
      driver: "gpuOperator",
      zones: ["2"],
      osDisk: { kind: "managed", sizeGib: 1024 },
    });
    for (const operation of ["preview", "up"] as const) {
      const said = await errorsOf(operation, platform);
      for (const field of ["vmSize", "gpuProfile.driver", "availabilityZones", "osDiskType"]) {
        expect(said).toContain(`h100: ${field} `);
      }
      expect(said).toContain("allowReplace: [h100]");
    }
    const systemPool = { machine: "Standard_D8ds_v5" };
    await aks.configure({ cluster: { ...aks.example.cluster, systemPool } });
    expect(await errorsOf("preview", platform)).toContain(
      "cluster.systemPool.machine: AKS keeps the machine of a pool: write Standard_D4ds_v5 again",
    );
    expect(idsOf(types.agentPool)).toEqual(before);
    await aks.configure();
  });

  test("is seen to go with its cluster, by the guard, and by the engine where that is allowed", async () => {
    const before = idsOf(types.agentPool);
    const network = { ...(aks.example.cluster["network"] as object | undefined), pods: "10.200.0.0/16" };
    const cluster = { ...aks.example.cluster, network };
    await aks.configure({ cluster });
    expect(await errorsOf("preview", platform)).toContain("h100: cluster.networkProfile.podCidr ");
    await aks.configure({ cluster, allowReplace: ["h100"] });
    const preview = await aks.run("preview", platform);
    expect(preview.exitCode).toBe(0);
    expect(steps(preview.events)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^replace .*:ManagedCluster cluster$/),
        `replace ${types.agentPool} h100`,
      ]),
    );
    expect(idsOf(types.agentPool)).toEqual(before);
    await aks.configure();
  });

  test("is found again where the engine is killed while Azure makes another one", async () => {
    const second = { ...h100(), name: "second", nodes: { min: 1, max: 1 } };
    await aks.configure({ pools: [h100(), second] });
    const fault = {
      operation: "create",
      type: types.agentPool,
      name: "second",
      effect: "hangAfterwards",
    } as const;
    await aks.engine.planFault(fault);
    const kill = new AbortController();
    const going = aks.run("up", platform, { signal: kill.signal });
    await eventually(
      "the second pool has a node",
      async () => {
        const nodes = await aks.get("nodes", "-l", "kubernetes.azure.com/agentpool=second", "-o", "name");
        return nodes === "" ? undefined : true;
      },
      90,
    );
    kill.abort();
    expect((await going).exitCode).toBeNull();
    expect((await aks.run("cancel", platform)).exitCode).toBe(0);
    expect(await errorsOf("up", platform)).toContain("cannot create already existing resource");

    const id =
      aks.engine.clouds.read().records.find((each) => each.id.endsWith("/agentPools/second"))?.id ?? "";
    const urn = async (type: string, name: string) => (await stateOf(type, name))?.urn ?? "";
    const args = [
      types.agentPool,
      "second",
      id,
      `--provider=azure=${await urn("pulumi:providers:azure-native", "azure")}`,
      `--parent=pool=${await urn("llama-operator:aks:GpuNodePool", "second")}`,
    ];
    expect((await aks.engine.importResource(platform, stack, { args })).exitCode).toBe(0);
    const before = idsOf(types.agentPool);
    expect((await aks.run("up", platform)).exitCode).toBe(0);
    expect(idsOf(types.agentPool)).toEqual(before);
    await aks.configure();
    expect((await aks.run("up", platform)).exitCode).toBe(0);
    expect(idsOf(types.agentPool)).toHaveLength(1);
  });

  test("is replaced when it is named, the old one first: here by a reserved one with InfiniBand", async () => {
    const machineType = "Standard_ND96isr_H100_v5";
    await aks.engine.clouds.setAccount({
      features: ["AKSInfinibandSupport"],
      reservations: [{ name: "h100", zone: "2", machineType, count: 2 }],
    });
    const sections = { allowReplace: ["h100"], cluster: { ...aks.example.cluster, identity } };
    await withPool(reservedPool, sections);
    const replaced = await aks.run("up", platform);
    expect(replaced.exitCode).toBe(0);
    const asked = steps(replaced.events).filter((step) => step.endsWith("AgentPool h100"));
    expect(asked).toEqual([
      `delete-replaced ${types.agentPool} h100`,
      `replace ${types.agentPool} h100`,
      `create-replacement ${types.agentPool} h100`,
    ]);
    await eventually("the drivers run", async () =>
      (await gpuNodes()).join() === "8 eastus-2,8 eastus-2" ? true : undefined,
    );
    expect(await aks.get("daemonsets", "-A", "-o", "name")).not.toContain("nvidia-device-plugin\n");
  });

  test("serves 405B over two nodes by InfiniBand, once the model on one has left them", async () => {
    const cluster = { ...aks.example.cluster, identity };
    await withPool(reservedPool, { cluster, models: [] });
    expect(await aks.runAll("up", [platform, serving])).toEqual([0, 0]);
    await withPool(reservedPool, { cluster, models: [wide()] });
    expect((await aks.run("up", serving)).exitCode).toBe(0);
    const path = String.raw`jsonpath={.items[*].spec.containers[*].resources.limits.rdma/shared_ib}`;
    expect(await aks.get("pods", "-n", "llama", "-o", path)).toBe("1 1");
    expect(await aks.answerOf("llama", "llama-405b-wide")).toContain("This answer comes from");
  });

  test("refuses to go while its capacity is protected, and everything stays", async () => {
    expect((await stateOf(types.agentPool, "h100"))?.protect).toBe(true);
    const records = aks.engine.clouds.read().records.length;
    expect(await errorsOf("previewDestroy", platform)).toContain("protect");
    expect(aks.engine.clouds.read().records).toHaveLength(records);
  });

  test("comes down with the rest, and leaves nothing in the subscription", async () => {
    const cluster = { ...aks.example.cluster, identity };
    await withPool({ ...reservedPool, protect: false }, { cluster, models: [wide()] });
    expect(await aks.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await aks.runAll("destroy", [serving, platform])).toEqual([0, 0]);
    expect(aks.engine.clouds.read().records).toEqual([]);
    expect(await gpuNodes()).toEqual([]);
  });
});
