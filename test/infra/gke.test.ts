// The examples of Google Kubernetes Engine with the real engine, unchanged but for the operator's image: from an empty
// project to 405B that answers, and back.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import { kubectl } from "../support/cluster.ts";
import { type ExampleStack, exampleStack, platform, serving } from "../support/example-stack.ts";
import { eventually } from "../support/eventually.ts";

const types = {
  network: "gcp:compute/network:Network",
  cluster: "gcp:container/cluster:Cluster",
  nodePool: "gcp:container/nodePool:NodePool",
  fabric: "kubernetes:networking.gke.io/v1:Network",
};

/** GKE brings these kinds with several networks; the local API server has to be told. */
const networkKinds = {
  apiVersion: "v1",
  kind: "List",
  items: [
    { kind: "Network", plural: "networks" },
    { kind: "GKENetworkParamSet", plural: "gkenetworkparamsets" },
  ].map(({ kind, plural }) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.networking.gke.io` },
    spec: {
      group: "networking.gke.io",
      scope: "Cluster",
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  })),
};

/** A project as organisations harden them: without its default account, and for shielded nodes alone. */
const reservation = (count: number) => ({
  defaultServiceAccountDisabled: true,
  shieldedVmRequired: true,
  reservations: [{ name: "llama-h100", zone: "us-central1-a", machineType: "a3-highgpu-8g", count }],
});

/** Of each node of a pool the GPUs that pods can have. */
const gpusOf = async (stack: ExampleStack, pool: string): Promise<string> =>
  stack.get(
    "nodes",
    "-l",
    `cloud.google.com/gke-nodepool=${pool}`,
    "-o",
    String.raw`jsonpath={.items[*].status.allocatable.nvidia\.com/gpu}`,
  );

/** How many of a kind the cloud has. */
const countOf = ({ engine }: ExampleStack, type: string): number =>
  engine.clouds.read().records.filter((record) => record.type === type).length;

/** What the engine says of a run that has to fail. */
async function refusal(stack: ExampleStack, operation: "preview" | "up", project: string): Promise<string> {
  const result = await stack.run(operation, project);
  expect(result.exitCode).not.toBe(0);
  return errors(result.events).join("\n");
}

/** What an `up` of the platform did beside nothing. */
async function changesOfUp(stack: ExampleStack): Promise<readonly string[]> {
  const { events, exitCode } = await stack.run("up", platform);
  expect(exitCode).toBe(0);
  return steps(events).filter((step) => !/^(?:same|read) /.test(step));
}

describe.sequential("A3 High of a reservation", () => {
  let stack: ExampleStack;

  beforeAll(async () => {
    stack = await exampleStack("gke-a3-high", (cleanUp) => afterAll(cleanUp));
    await kubectl(stack.cluster, ["apply", "-f", "-"], JSON.stringify(networkKinds));
  });

  test("is previewed whole without a change in the cloud, whose reservation is read", async () => {
    await stack.engine.clouds.setAccount(reservation(2));
    expect(await stack.runAll("preview", [platform, serving])).toEqual([0, 0]);
    expect(stack.engine.clouds.read().records).toEqual([]);
    const requests = stack.engine.clouds.requests();
    expect(new Set(requests.map(({ operation }) => operation))).toEqual(new Set(["invoke"]));
    expect(requests.map(({ type }) => type)).toContain("gcp:compute/getReservation:getReservation");
  });

  test("is refused at the preview where what it names is not there, and told what is sold", async () => {
    await stack.engine.clouds.setAccount({ versions: ["1.36.1-gke.1000"], gpuZones: ["us-central1-c"] });
    const said = await refusal(stack, "preview", platform);
    expect(said).toContain(
      "pools[0].capacity.reservation: write the name of one that my-project has in us-central1-a",
    );
    expect(said).toContain("cluster.version: GKE sells no 1.35 in us-central1 in the channel REGULAR");
    expect(said).toContain("Google Cloud sells a3-highgpu-8g in us-central1-c, not in us-central1-a");
    expect(stack.engine.clouds.read().records).toEqual([]);
  });

  test("is refused at the preview where the reservation is too small", async () => {
    await stack.engine.clouds.setAccount(reservation(1));
    expect(await refusal(stack, "preview", platform)).toContain(
      "pools[0].nodes.max: the reservation llama-h100 of my-project in us-central1-a has 1 machine, and the pool may have 2: write 1, or reserve more",
    );
    await stack.engine.clouds.setAccount(reservation(2));
  });

  test("finishes at a later try, whichever step is refused at first, and makes nothing twice", async () => {
    const faults = [
      { type: types.network, message: "quota NETWORKS exceeded" },
      { type: types.cluster, message: "the operation timed out" },
      { type: types.fabric, message: "the server is not ready" },
      { type: types.nodePool, message: "GCE_STOCKOUT" },
    ];
    for (const fault of faults) {
      await stack.engine.planFault({ operation: "create", effect: "refuse", ...fault });
      expect(await refusal(stack, "up", platform)).toContain(fault.message);
    }
    await stack.engine.planFault({ operation: "create", type: types.nodePool, effect: "uninitialized" });
    await refusal(stack, "up", platform);
    expect((await stack.run("up", platform)).exitCode).toBe(0);
    expect(countOf(stack, types.network)).toBe(5);
    expect(countOf(stack, types.nodePool)).toBe(2);
    expect(await gpusOf(stack, "h100")).toBe("8 8");
    expect(await stack.get("networks.networking.gke.io", "-o", "name")).toContain("gpu-3");
  });

  test("ends with 405B ready and answering", async () => {
    expect(await stack.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await stack.answerOf("llama", "llama-405b-fp8")).toContain("This answer comes from");
  });

  test("has nothing to do when it goes up again", async () => {
    for (const project of [platform, serving]) {
      const { events } = await stack.run("up", project);
      expect(Object.keys(resourceChanges(events))).toEqual(["same"]);
    }
  });

  test("keeps its options in the state, and no token", async () => {
    const { deployment } = await stack.engine.stackExport(platform, "gke-a3-high");
    const find = (name: string) => deployment.resources?.find(({ urn }) => urn.endsWith(name));
    const pool = find(`${types.nodePool}::h100`);
    expect(pool?.protect).toBe(true);
    expect(pool?.customTimeouts).toEqual({ create: 5400, update: 9000, delete: 9000 });
    expect(pool).not.toHaveProperty("ignoreChanges");
    // What a component depends on holds for all that is in it.
    expect(find("llama-operator:gke:SystemPool::system")?.dependencies).toContain(
      find("gcp:compute/routerNat:RouterNat::network")?.urn,
    );
    expect(find("llama-operator:gke:GpuNodePool::h100")?.dependencies).toContain(
      find(`${types.nodePool}::system`)?.urn,
    );
    expect(deployment.resources?.map(({ type }) => type)).not.toContain("pulumi:providers:default");
    const outputs = JSON.stringify(await stack.engine.stackOutputs(platform, "gke-a3-high"));
    expect(outputs).toContain("gke-gcloud-auth-plugin");
    expect(outputs).not.toContain("token");
  });

  test("changes the size of the pool in place", async () => {
    const [pool] = stack.example.pools;
    await stack.engine.clouds.setAccount(reservation(3));
    await stack.configure({ pools: [{ ...pool, nodes: { min: 3, max: 3 } }] });
    expect(await changesOfUp(stack)).toEqual([`update ${types.nodePool} h100`]);
    expect(await gpusOf(stack, "h100")).toBe("8 8 8");
  });

  test("refuses to come down while it is protected, with everything still there", async () => {
    const refused = await stack.engine.destroy(platform, "gke-a3-high", { args: ["--preview-only"] });
    expect(refused.exitCode).not.toBe(0);
    expect(await gpusOf(stack, "h100")).toBe("8 8 8");
  });

  test("comes down whole once it may", async () => {
    const [pool] = stack.example.pools;
    await stack.configure({
      cluster: { ...stack.example.cluster, deletionProtection: false },
      pools: [{ ...pool, protect: false }],
    });
    expect(await stack.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await stack.runAll("destroy", [serving, platform])).toEqual([0, 0]);
    expect(stack.engine.clouds.read().records).toEqual([]);
    expect(await gpusOf(stack, "h100")).toBe("");
  });
});

describe.sequential("A3 Mega on demand, with an autoscaler", () => {
  let stack: ExampleStack;

  beforeAll(async () => {
    stack = await exampleStack("gke-a3-mega", (cleanUp) => afterAll(cleanUp));
  });

  test("is refused at the preview where the quota is too small", async () => {
    await stack.engine.clouds.setAccount({ quotas: { "NVIDIA_H100_MEGA@us-east4": 16 } });
    expect(await refusal(stack, "preview", platform)).toContain(
      "the quota of NVIDIA_H100_MEGA GPUs of my-project in us-east4 is 16, and h100-mega may have 32",
    );
    await stack.engine.clouds.setAccount({ quotas: { "NVIDIA_H100_MEGA@us-east4": 64 } });
  });

  test("ends with 405B ready and answering, on networks that GKE makes", async () => {
    expect(await stack.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(countOf(stack, types.network)).toBe(1);
    expect(await gpusOf(stack, "h100-mega")).toBe("8");
    expect(await stack.answerOf("llama", "llama-405b-fp8")).toContain("This answer comes from");
  });

  test("gives the autoscaler other limits in place, and leaves it the size", async () => {
    const [pool] = stack.example.pools;
    await stack.configure({ pools: [{ ...pool, nodes: { min: 2, max: 6 } }] });
    expect(await changesOfUp(stack)).toEqual([`update ${types.nodePool} h100-mega`]);
    const { deployment } = await stack.engine.stackExport(platform, "gke-a3-mega");
    const found = deployment.resources?.find(({ urn }) => urn.endsWith(`${types.nodePool}::h100-mega`));
    expect(found?.ignoreChanges).toEqual(["initialNodeCount", "nodeCount"]);
  });

  test("refuses to replace the pool for another driver, until somebody allows it", async () => {
    const pools = stack.example.pools.map((pool) => ({ ...pool, driver: "gpuOperator" }));
    await stack.configure({ pools });
    const refused = await refusal(stack, "preview", platform);
    expect(refused).toContain("this change would replace 1 GPU pool; nothing was done");
    expect(refused).toContain("nodeConfig.guestAccelerators[].gpuDriverInstallationConfig");
    expect(refused).toContain("write allowReplace: [h100-mega]");
    await stack.configure({ pools, allowReplace: ["h100-mega"] });
    expect((await stack.run("up", platform)).exitCode).toBe(0);
    // Google's driver installer, and the device plugin of the GPU Operator.
    await eventually("the GPUs are there again", async () =>
      (await gpusOf(stack, "h100-mega")) === "8" ? true : undefined,
    );
  });

  test("comes down whole once it may", async () => {
    await stack.configure({
      cluster: { ...stack.example.cluster, deletionProtection: false },
      allowReplace: ["h100-mega"],
    });
    expect(await stack.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await stack.runAll("destroy", [serving, platform])).toEqual([0, 0]);
    expect(stack.engine.clouds.read().records).toEqual([]);
  });
});
