// The double of a cloud with the real engine: a cluster and a pool of GPU nodes go up, change, fail, are refused and come
// down as they would in the cloud, and what the cluster resource says leads to the local API server.

import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import type { RunOptions } from "../../infra/testing/pulumi.ts";
import { kubectl, sharedCluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { ran, testEngine } from "../support/pulumi.ts";

const cluster = sharedCluster();
const projectDir = fileURLToPath(new URL("../../infra/testing/cloud-project", import.meta.url));
const stack = "test";
const name = `cloud-${randomBytes(4).toString("hex")}`;
const poolType = "gcp:container/nodePool:NodePool";
const poolId = `projects/test-project/locations/us-central1/clusters/${name}/nodePools/gpus`;

const engine = await testEngine((cleanUp) => afterAll(cleanUp));

const up = async (options?: RunOptions) => ran(engine.up(projectDir, stack, options));
const setting = (values: Readonly<Record<string, unknown>>): RunOptions => ({
  config: Object.fromEntries(Object.entries(values).map(([key, value]) => [`cloud-test:${key}`, value])),
});

/** Runs an engine that is killed once the cloud has made the pool, and gives up its lock. */
async function killedInCreate(isMade: () => Promise<boolean>, options: RunOptions = {}): Promise<void> {
  await engine.planFault({ operation: "create", type: poolType, name: "gpus", effect: "hangAfterwards" });
  const kill = new AbortController();
  const going = engine.up(projectDir, stack, { ...options, signal: kill.signal });
  await eventually("the pool is made", async () => ((await isMade()) ? true : undefined), 90);
  kill.abort();
  expect((await going).exitCode).toBeNull();
  expect((await engine.cancel(projectDir, stack)).exitCode).toBe(0);
}

async function expectRefusedTwin(): Promise<void> {
  const twin = await up();
  expect(twin.exitCode).not.toBe(0);
  expect(errors(twin.events).join()).toContain(`resource - ${poolId} - already exists`);
}

/** Imports the pool as it is, after which there is nothing to change on it. */
async function takeIn(): Promise<void> {
  const provider = `google=${await urnOf("pulumi:providers:gcp", "google")}`;
  const args = [poolType, "gpus", poolId, `--provider=${provider}`];
  expect((await ran(engine.importResource(projectDir, stack, { args }))).exitCode).toBe(0);
  await expectNothingToChange();
}

async function expectNothingToChange(): Promise<void> {
  const before = changes();
  expect((await up()).exitCode).toBe(0);
  expect(changes()).toEqual(before);
  expect(engine.clouds.read().records.filter(({ id }) => id === poolId)).toHaveLength(1);
}

async function urnOf(type: string, resource: string): Promise<string> {
  const { resources = [] } = (await engine.stackExport(projectDir, stack)).deployment;
  return resources.find(({ urn }) => urn.endsWith(`${type}::${resource}`))?.urn ?? "";
}

interface Node {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly taints?: readonly { readonly key: string }[] };
  readonly status: { readonly allocatable: Readonly<Record<string, string>> };
}

const team = `team-${name}`;

async function gpuNodes(of = team): Promise<readonly Node[]> {
  const list = await kubectl(cluster, ["get", "nodes", "-l", `example.com/team=${of}`, "-o", "json"]);
  return (JSON.parse(list) as { readonly items: readonly Node[] }).items;
}

const gpus = async (of?: string) =>
  (await gpuNodes(of)).map(({ status }) => status.allocatable["nvidia.com/gpu"] ?? "none");

/** What the cloud was asked to change. */
const changes = () =>
  engine.clouds
    .requests()
    .filter(({ operation, type }) => type === poolType && operation !== "read" && operation !== "invoke")
    .map(({ operation, name: resource }) => `${operation} ${resource}`);

describe.sequential("a cloud", () => {
  test("is asked nothing but its functions by a preview", async () => {
    const values = { name, zones: ["us-central1-a"], nodes: 2, driver: "DEFAULT", team, protect: true };
    const preview = await ran(engine.preview(projectDir, stack, setting(values)));
    expect(preview.exitCode).toBe(0);
    expect(resourceChanges(preview.events)).toEqual({ create: 10 });
    expect(engine.clouds.read().records).toEqual([]);
    expect(engine.clouds.requests().map(({ operation }) => operation)).toEqual(["invoke"]);
  });

  test("says no to a pool for which there is no quota, before it makes it", async () => {
    await engine.clouds.setAccount({ quotas: { "NVIDIA_H100@us-central1": 8 } });
    const refused = await up();
    expect(refused.exitCode).not.toBe(0);
    expect(errors(refused.events).join()).toContain("is short '8.0'");
    expect(await gpuNodes()).toEqual([]);
    await engine.clouds.setAccount({});
  });

  test("keeps a pool that a killed engine has made, and refuses a second of its name", async () => {
    await killedInCreate(async () => (await gpus()).join() === "8,8");
    await expectRefusedTwin();
    expect(await gpus()).toEqual(["8", "8"]);
  });

  test("lets the stack take that pool in", async () => {
    await takeIn();
  });

  test("makes of a pool nodes with its labels, the pool's and GPUs", async () => {
    const result = await up();
    expect(result.exitCode).toBe(0);
    const nodes = await gpuNodes();
    expect(nodes.map(({ metadata }) => metadata.labels)).toEqual(
      Array.from({ length: 2 }, () =>
        expect.objectContaining({
          "cloud.google.com/gke-nodepool": "gpus",
          "cloud.google.com/gke-accelerator": "nvidia-h100-80gb",
          "cloud.google.com/gke-gpu-driver-version": "default",
          "topology.kubernetes.io/zone": "us-central1-a",
        }),
      ),
    );
    const taints = nodes.map(({ spec }) => (spec.taints ?? []).map(({ key }) => key).toSorted());
    expect(taints).toEqual([
      ["example.com/only", "nvidia.com/gpu"],
      ["example.com/only", "nvidia.com/gpu"],
    ]);
    expect(await gpus()).toEqual(["8", "8"]);
  });

  test("leads the Kubernetes provider and Helm to its cluster by a login plugin", async () => {
    expect(
      await kubectl(cluster, ["get", "configmap/chart", "-n", name, "-o", "jsonpath={.data.text}"]),
    ).toBe("hello");
    expect(JSON.stringify(await engine.stackExport(projectDir, stack))).toContain("gke-gcloud-auth-plugin");
  });

  test("is asked nothing when nothing has changed", async () => {
    const before = changes();
    const again = await up();
    expect(again.exitCode).toBe(0);
    expect(resourceChanges(again.events)).toEqual({ same: 10 });
    expect(changes()).toEqual(before);
  });

  test("adds and removes nodes, and changes labels, in place", async () => {
    const other = `${team}-other`;
    expect((await up(setting({ nodes: 3, team: other }))).exitCode).toBe(0);
    expect(await gpus(other)).toEqual(["8", "8", "8"]);
    expect(await gpus()).toEqual([]);
    expect((await up(setting({ nodes: 1, team }))).exitCode).toBe(0);
    expect(await gpus()).toEqual(["8"]);
    expect(changes().slice(-2)).toEqual(["update gpus", "update gpus"]);
  });

  test("would replace a pool whose driver changes, which its protection refuses", async () => {
    const refused = await up(setting({ driver: "INSTALLATION_DISABLED" }));
    expect(refused.exitCode).not.toBe(0);
    expect(errors(refused.events).join()).toContain("protect");
    expect(await gpus()).toEqual(["8"]);
    expect((await up(setting({ protect: false, driver: "DEFAULT" }))).exitCode).toBe(0);
  });

  test("has no GPUs to give without a driver, until one is there, and none with two", async () => {
    const replaced = await up(setting({ driver: "INSTALLATION_DISABLED" }));
    expect(replaced.exitCode).toBe(0);
    expect(steps(replaced.events)).toContain(`delete-replaced ${poolType} gpus`);
    expect(await gpus()).toEqual(["none"]);
    await kubectl(
      cluster,
      ["apply", "-f", "-"],
      daemonSet("driver-installer", "gcr.io/cos-cloud/cos-nvidia-installer:fixed"),
    );
    await eventually("the driver is installed", async () => ((await gpus())[0] === "8" ? true : undefined));
    await kubectl(cluster, ["delete", "daemonset/driver-installer", "-n", name]);
    await eventually("no GPU is allocatable", async () => ((await gpus())[0] === "0" ? true : undefined));
  });

  test("recovers from an engine that was killed in a replacement", async () => {
    await killedInCreate(async () => (await gpus()).join() === "8", setting({ driver: "LATEST" }));
    await expectRefusedTwin();
    // The old pool is gone, and the stack still waits for its successor: which is there, under the same id.
    const { deployment, ...state } = await engine.stackExport(projectDir, stack);
    const resources = (deployment.resources ?? []).map((each) => ({ ...each, pendingReplacement: false }));
    await engine.stackImport(projectDir, stack, { ...state, deployment: { ...deployment, resources } });
    expect((await ran(engine.refresh(projectDir, stack))).exitCode).toBe(0);
    await expectNothingToChange();
    expect(await gpus()).toEqual(["8"]);
  });

  test("comes down and leaves nothing", async () => {
    const destroyed = await ran(engine.destroy(projectDir, stack));
    expect(destroyed.exitCode).toBe(0);
    expect(engine.clouds.read().records).toEqual([]);
    expect(await gpuNodes()).toEqual([]);
  });
});

function daemonSet(daemonSetName: string, image: string): string {
  const labels = { app: daemonSetName };
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: daemonSetName, namespace: name },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { "example.com/team": team },
          tolerations: [{ operator: "Exists" }],
          initContainers: [{ name: "installer", image }],
          containers: [{ name: "pause", image: "registry.k8s.io/pause:3.10" }],
        },
      },
    },
  });
}
