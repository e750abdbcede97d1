// The local cluster itself, on clusters of this file's own beside the one that all tests share.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { clusterClient } from "../../local/cluster/client.ts";
import { startCluster } from "../../local/cluster/cluster.ts";
import { clusterStatus, stopCluster } from "../../local/cluster/kept.ts";
import { addNodes } from "../../local/cluster/nodes.ts";
import type { ClusterOptions, LocalCluster } from "../../local/cluster/options.ts";
import { kubectl, type ProvidedCluster, sharedCluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { machineShape } from "../support/machine-shape.ts";

/** A folder that is gone after the file's tests, also where a test has failed. */
const newStateDir = async () => {
  const folder = await mkdtemp(join(tmpdir(), "llama-operator-test-"));
  stateDirs.push(folder);
  return folder;
};

const stateDirs: string[] = [];

afterAll(async () => {
  for (const folder of stateDirs) {
    await stopCluster({ stateDir: folder });
    await rm(folder, { recursive: true, force: true });
  }
});

/** kubectl's answer as JSON. */
async function get<T>(cluster: Pick<LocalCluster, "kubectl">, ...args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl(cluster, ["get", "-o", "json", ...args])) as T;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly nodeName?: string };
    readonly status: {
      readonly phase: string;
      readonly podIP?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly containerStatuses?: readonly { readonly ready: boolean; readonly started?: boolean }[];
    };
  }[];
}

function pod(name: string, gpus: number): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name.replace(/-\d+$/, "") } },
    spec: podSpec(gpus),
  });
}

/** An engine's share of the machine: the default scores look at CPU and memory alone. */
function podSpec(gpus: number): object {
  const limits = { "nvidia.com/gpu": String(gpus), cpu: String(20 * gpus), memory: `${200 * gpus}Gi` };
  return {
    tolerations: [{ operator: "Exists" }],
    containers: [{ name: "engine", image: "vllm/vllm-openai:v0.32.0", resources: { limits } }],
  };
}

async function podsWithAddress(
  cluster: Pick<LocalCluster, "kubectl">,
  app: string,
  count: number,
): Promise<PodList["items"]> {
  return eventually(`${count} pods of ${app} have addresses`, async () => {
    const { items } = await get<PodList>(cluster, "pods", "-l", `app=${app}`);
    return items.filter(({ status }) => status.podIP !== undefined).length === count ? items : undefined;
  });
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

const allGone = async (pids: readonly number[]) =>
  eventually(`processes ${pids.join(", ")} have ended`, async () => (pids.some(isAlive) ? undefined : true));

interface Parent extends ProvidedCluster {
  readonly pids: readonly number[];
}

/** Starts a cluster from a process of its own. */
async function startParent(
  options: Pick<ClusterOptions, "audit" | "detached" | "leaderWorkerSet" | "name" | "pods" | "scheduling"> & {
    readonly stateDir: string;
  },
): Promise<{ readonly process: ReturnType<typeof spawn>; readonly cluster: Parent }> {
  const script = fileURLToPath(new URL("../support/cluster-parent.ts", import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await stopCluster({ stateDir: options.stateDir });
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { process: child, cluster: JSON.parse(line) as Parent };
}

describe("a cluster that packs, with simulated kubelets elsewhere", () => {
  let cluster: LocalCluster;
  let nodes: readonly string[];

  let twin: LocalCluster;

  beforeAll(async () => {
    [cluster, twin] = await Promise.all([
      startCluster({ name: "packs", stateDir: await newStateDir() }),
      startCluster({ name: "twin", stateDir: await newStateDir(), leaderWorkerSet: false }),
    ]);
    await using connection = await clusterClient(cluster.kubeconfigPath);
    nodes = await addNodes(connection.client, machineShape("a3-highgpu-8g"), 4, cluster);
  });

  afterAll(async () => {
    await cluster.stop();
  });

  test("clusters that run and start side by side have addresses of their own", async () => {
    const all = [sharedCluster(), cluster, twin];
    expect(new Set(all.map(({ podCidr }) => podCidr)).size).toBe(3);
    expect(new Set(all.map(({ server }) => server)).size).toBe(3);
    for (const each of all) {
      expect(await kubectl(each, ["get", "--raw", "/readyz"])).toBe("ok");
    }
    await twin.stop();
    expect(await kubectl(cluster, ["get", "--raw", "/readyz"])).toBe("ok");
  });

  test("its kubeconfig is readable by its owner alone, and its version is a release's", async () => {
    const { mode } = await stat(cluster.kubeconfigPath);
    expect(mode & 0o777).toBe(0o600);
    expect(await kubectl(cluster, ["version"])).toContain("Server Version: v1.35.4");
  });

  test("four H100 nodes are Ready", async () => {
    expect(nodes).toHaveLength(4);
    const ready = await kubectl(cluster, ["get", "nodes", "--no-headers"]);
    expect(ready.match(/ Ready /g)).toHaveLength(4);
  });

  test("a pod of eight GPUs gets a node and an address, runs, and is not ready by itself", async () => {
    await kubectl(cluster, ["create", "-f", "-"], pod("full-0", 8));
    const [full] = await podsWithAddress(cluster, "full", 1);
    expect(nodes).toContain(full?.spec.nodeName);
    expect(full?.status.podIP?.startsWith(`${cluster.addressBlock}.`)).toBe(true);
    expect(full?.status.phase).toBe("Running");
    expect(full?.status.conditions).toContainEqual(
      expect.objectContaining({ type: "Ready", status: "False" }),
    );
    expect(full?.status.containerStatuses).toEqual([
      expect.objectContaining({ ready: false, started: false }),
    ]);
  });

  test("KWOK leaves a pod to its kubelet once it has an address: its status stays and so does the pod", async () => {
    await kubectl(cluster, ["create", "-f", "-"], pod("left-0", 1));
    await podsWithAddress(cluster, "left", 1);
    const patch = {
      status: {
        phase: "Pending",
        containerStatuses: [
          {
            name: "engine",
            image: "i",
            imageID: "",
            ready: false,
            restartCount: 1,
            state: { waiting: { reason: "CrashLoopBackOff" } },
          },
        ],
      },
    };
    await kubectl(cluster, [
      "patch",
      "pod",
      "left-0",
      "--subresource=status",
      "--type=merge",
      "-p",
      JSON.stringify(patch),
    ]);
    await kubectl(cluster, ["delete", "pod", "left-0", "--wait=false"]);
    const before = await get<object>(cluster, "pod", "left-0");
    // KWOK sees this pod after the change and the deletion of the other.
    await kubectl(cluster, ["create", "-f", "-"], pod("later-0", 1));
    await podsWithAddress(cluster, "later", 1);
    expect(await get<object>(cluster, "pod", "left-0")).toEqual(before);
    await kubectl(cluster, ["delete", "pod", "left-0", "later-0", "--force", "--grace-period=0"]);
  });

  test("pods of one GPU fill a node before the next is begun, and no two share an address", async () => {
    for (let index = 0; index < 6; index += 1) {
      await kubectl(cluster, ["create", "-f", "-"], pod(`one-${index}`, 1));
    }
    const ones = await podsWithAddress(cluster, "one", 6);
    expect(new Set(ones.map(({ spec }) => spec.nodeName)).size).toBe(1);
    const { items } = await get<PodList>(cluster, "pods");
    const addresses = items.map(({ status }) => status.podIP);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  test("the replicas of a Deployment are packed too", async () => {
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "replicas" },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: "replicas" } },
        template: { metadata: { labels: { app: "replicas" } }, spec: podSpec(1) },
      },
    };
    await kubectl(cluster, ["create", "-f", "-"], JSON.stringify(deployment));
    const replicas = await podsWithAddress(cluster, "replicas", 2);
    expect(new Set(replicas.map(({ spec }) => spec.nodeName)).size).toBe(1);
  });

  test("a LeaderWorkerSet's group of two runs on two nodes", async () => {
    await kubectl(cluster, ["create", "-f", "-"], leaderWorkerSet("group"));
    const group = await podsWithAddress(cluster, "group", 2);
    expect(group.map(({ metadata }) => metadata.name).toSorted()).toEqual(["group-0", "group-0-1"]);
    expect(new Set(group.map(({ spec }) => spec.nodeName)).size).toBe(2);
  });

  test("LeaderWorkerSet can go and come while the cluster runs", async () => {
    await cluster.removeLeaderWorkerSet();
    await expect(kubectl(cluster, ["create", "-f", "-"], leaderWorkerSet("gone"))).rejects.toThrow(
      /no matches for kind|could not find the requested resource/,
    );
    await cluster.installLeaderWorkerSet();
    expect(await kubectl(cluster, ["create", "-f", "-"], leaderWorkerSet("back"))).toContain("created");
  });

  test("a LeaderWorkerSet that its webhook refuses is refused", async () => {
    const refused = kubectl(cluster, ["create", "-f", "-"], leaderWorkerSet("refused", { replicas: -1 }));
    await expect(refused).rejects.toThrow(/denied the request|Invalid value/);
  });

  test("a process that dies by itself is started again", async () => {
    const schedulerOf = async () =>
      (await cluster.status()).processes.find(({ name }) => name === "kube-scheduler");
    const before = await schedulerOf();
    process.kill(before?.pid ?? 0, "SIGKILL");
    const after = await eventually("the scheduler runs again", async () => {
      const now = await schedulerOf();
      return now?.state === "running" && now.pid !== before?.pid ? now : undefined;
    });
    expect(after.restarts).toBe(1);
    expect(after.lastEnd).toContain("killed");
  });

  test("the API server can be restarted, and keeps what it had", async () => {
    await cluster.restartApiServer();
    expect(await kubectl(cluster, ["get", "pod", "full-0", "-o", "name"])).toBe("pod/full-0\n");
  });

  test("its state folder cannot be taken by a second cluster", async () => {
    const second = startCluster({ name: "packs", stateDir: cluster.stateDir });
    await expect(second).rejects.toMatchObject({ code: "InUse" });
  });
});

function leaderWorkerSet(name: string, spec: object = {}): string {
  return JSON.stringify({
    apiVersion: "leaderworkerset.x-k8s.io/v1",
    kind: "LeaderWorkerSet",
    metadata: { name },
    spec: {
      replicas: 1,
      leaderWorkerTemplate: {
        size: 2,
        workerTemplate: { metadata: { labels: { app: name } }, spec: podSpec(8) },
      },
      ...spec,
    },
  });
}

describe("a cluster for benchmarks, whose parent is killed", () => {
  test("it spreads, its pods come and go at once, it logs every request, and nothing outlives its parent", async () => {
    const parent = await startParent({
      name: "spreads",
      stateDir: await newStateDir(),
      audit: true,
      leaderWorkerSet: false,
      pods: "instant",
      scheduling: "spread",
    });
    const { cluster } = parent;
    await using connection = await clusterClient(cluster.kubeconfigPath);
    await addNodes(connection.client, machineShape("p5.48xlarge"), 2, cluster);

    for (const name of ["one-0", "one-1"]) {
      await kubectl(cluster, ["create", "-f", "-"], pod(name, 1));
    }
    await kubectl(cluster, ["wait", "--for=condition=Ready", "pod/one-0", "pod/one-1", "--timeout=20s"]);
    const ones = await podsWithAddress(cluster, "one", 2);
    expect(new Set(ones.map(({ spec }) => spec.nodeName)).size).toBe(2);
    await kubectl(cluster, ["delete", "pod", "one-0", "one-1", "--timeout=20s"]);

    const created = await eventually("the audit log holds the creation of one-1", async () => {
      const log = await readFile(cluster.auditLogPath ?? "", "utf8");
      return log
        .split("\n")
        .find((line) => line.includes('"verb":"create"') && line.includes('"name":"one-1"'));
    });
    expect(JSON.parse(created)).toMatchObject({
      level: "Metadata",
      user: { username: "admin" },
      userAgent: expect.stringContaining("kubectl"),
      responseStatus: { code: 201 },
    });

    expect(cluster.pids).toHaveLength(6);
    expect(cluster.pids.every(isAlive)).toBe(true);
    parent.process.kill("SIGKILL");
    await allGone(cluster.pids);
    await eventually("the state folder is gone", async () =>
      existsSync(cluster.stateDir) ? undefined : true,
    );
  });
});

describe("a detached cluster", () => {
  test("it outlives the process that started it, is found again, and leaves nothing when it is stopped", async () => {
    const stateDir = await newStateDir();
    const { process: parent, cluster } = await startParent({
      stateDir,
      detached: true,
      leaderWorkerSet: false,
    });
    await (parent.exitCode === null ? once(parent, "exit") : undefined);

    const status = await clusterStatus({ stateDir });
    expect(status?.processes.map(({ name, state }) => [name, state]).toSorted()).toEqual(
      ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"].map((name) => [
        name,
        "running",
      ]),
    );
    expect(await stopCluster({ stateDir })).toBe(true);
    await allGone(cluster.pids);
    expect(existsSync(stateDir)).toBe(false);
    expect(await clusterStatus({ stateDir })).toBeUndefined();
    expect(await stopCluster({ stateDir })).toBe(false);
  });

  test("after its supervisor was killed no process is left, and the next start clears what it left", async () => {
    const stateDir = await newStateDir();
    const { cluster } = await startParent({ stateDir, detached: true, leaderWorkerSet: false });
    process.kill(cluster.pids[0] ?? 0, "SIGKILL");
    await allGone(cluster.pids);
    expect(existsSync(cluster.kubeconfigPath)).toBe(true);

    const next = await startCluster({ stateDir, leaderWorkerSet: false });
    expect(await kubectl(next, ["get", "--raw", "/readyz"])).toBe("ok");
    await next.stop();
    expect(existsSync(stateDir)).toBe(false);
  });
});

describe("a start that cannot succeed", () => {
  test("names the program that keeps ending, shows the end of its log, and leaves no process", async () => {
    const stateDir = await newStateDir();
    const started = startCluster({
      stateDir,
      leaderWorkerSet: false,
      processes: () => [
        {
          name: "broken",
          command: ["/bin/sh", "-c", "echo no such model >&2; exit 3"],
          readyUrl: "http://127.255.77.2:1/",
        },
      ],
    });
    await expect(started).rejects.toMatchObject({
      code: "StartFailed",
      message: expect.stringMatching(
        /broken keeps ending \(exit status 3\).*not ready: broken.*no such model/s,
      ),
    });
    expect(await clusterStatus({ stateDir })).toBeUndefined();
    expect(existsSync(join(stateDir, "logs", "broken.log"))).toBe(true);
  });

  test("a folder with files of somebody else is refused and untouched", async () => {
    const stateDir = await newStateDir();
    await writeFile(join(stateDir, "thesis.txt"), "precious");
    await expect(startCluster({ stateDir })).rejects.toThrow("no local cluster's: name another state folder");
    expect(await readFile(join(stateDir, "thesis.txt"), "utf8")).toBe("precious");
  });
});
