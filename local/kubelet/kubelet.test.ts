import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import { realClock } from "../engine/clock.ts";
import { Rendezvous } from "../engine/rendezvous.ts";
import { type KubeClient, ApiError } from "@llama-operator/kube-runtime/client";
import { FaultLedger } from "./faults.ts";
import { Kubelet } from "./kubelet.ts";
import type { Container, ContainerStatus, Node, Pod } from "./pod.ts";
import { Runtime } from "./runtime.ts";

// Real time and real sockets: a busy machine makes them slow, not wrong.
vi.setConfig({ testTimeout: 30_000 });

const block = `127.79.${process.pid % 250}`;
let nextAddress = 1;
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** An API server that holds pods, nodes and secrets, and tells the kubelet of every change as a watch would. */
class FakeApi {
  readonly requests: string[] = [];
  readonly pods = new Map<string, Pod>();
  readonly nodes = new Map<string, Node>();
  readonly secrets = new Map<string, Readonly<Record<string, string>>>();
  readonly kubelet: Kubelet;
  #version = 1;

  constructor(speed: { readonly speedup?: number; readonly kubeletSpeedup?: number } = {}) {
    const client = {
      mergePatch: async (type: { plural: string }, ref: { name: string }, patch: object, options: object) => {
        await Promise.resolve();
        const { subresource } = options as { subresource?: string };
        this.requests.push(
          `PATCH ${type.plural}/${ref.name}${subresource === undefined ? "" : `/${subresource}`}`,
        );
        const objects: Map<string, Pod | Node> = type.plural === "pods" ? this.pods : this.nodes;
        const object = objects.get(ref.name);
        if (object === undefined) throw new ApiError("PATCH", { code: 404, reason: "NotFound" });
        this.put(merged(object, patch) as Pod | Node);
        return object;
      },
      delete: async (_: object, ref: { name: string }, options: object) => {
        await Promise.resolve();
        this.requests.push(`DELETE pods/${ref.name} ${JSON.stringify({ ...options, signal: undefined })}`);
        this.forget(ref.name);
        return true;
      },
    };
    const runtime: Runtime = new Runtime({
      clock: realClock,
      unixSeconds: () => Math.floor(Date.now() / 1000),
      newId: () => "id",
      speedup: speed.speedup ?? 2000,
      generationSpeedup: 100,
      kubeletSpeedup: speed.kubeletSpeedup ?? 100,
      loadBytesPerSecond: 3.5e9,
      rendezvous: new Rendezvous(),
      faults: new FaultLedger(),
      readData: async (_, __, name) => this.secrets.get(name),
      nodeOf: (pod) => this.kubelet.nodeOf(pod),
      resolve: () => undefined,
    });
    this.kubelet = new Kubelet({
      client: client as unknown as KubeClient,
      runtime,
      ownsAddress: (address) => address.startsWith("127."),
      logDirectory: undefined,
      onError: (error) => this.requests.push(`ERROR ${String(error)}`),
    });
    stops.push(() => this.kubelet.stop());
    this.put(node());
  }

  put(object: Pod | Node): void {
    const live = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String((this.#version += 1)) },
    };
    if (isPod(live)) {
      this.pods.set(live.metadata.name, live);
      this.kubelet.setPod(live);
    } else {
      this.nodes.set(live.metadata.name, live);
      this.kubelet.setNode(live);
    }
  }

  /** Gone from the API, as after a forced deletion. */
  forget(name: string): void {
    const pod = this.pods.get(name);
    this.pods.delete(name);
    if (pod !== undefined) this.kubelet.removePod(pod);
  }

  annotate(object: Pod | Node, annotations: Readonly<Record<string, string | null>>): void {
    this.put(merged(object, { metadata: { annotations } }) as Pod | Node);
  }

  delete(name: string, graceSeconds: number): void {
    const deletionTimestamp = new Date(Date.now() + graceSeconds * 1000).toISOString();
    this.put(
      merged(this.pod(name), {
        metadata: { deletionTimestamp, deletionGracePeriodSeconds: graceSeconds },
      }) as Pod,
    );
  }

  pod(name = "llama"): Pod {
    const pod = this.pods.get(name);
    if (pod === undefined) throw new Error(`no pod ${name}`);
    return pod;
  }

  container(name = "llama"): ContainerStatus | undefined {
    return this.pods.get(name)?.status?.containerStatuses?.[0];
  }

  async until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!condition()) {
      if (Date.now() > deadline)
        throw new Error(
          `in vain: ${JSON.stringify([...this.pods.values()].map(({ status }) => status))} ${this.requests.join("\n")}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function isPod(object: Pod | Node): object is Pod {
  return object.kind === "Pod";
}

/** JSON merge patch. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function node(annotations: Readonly<Record<string, string>> = {}): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: "node-a",
      uid: "node-a",
      resourceVersion: "1",
      labels: { "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3" },
      annotations: { "kwok.x-k8s.io/node": "fake", ...annotations },
    },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  };
}

const probed: Partial<Container> = {
  ports: [{ name: "http", containerPort: 8000 }],
  startupProbe: { httpGet: { path: "/health", port: "http" }, failureThreshold: 60 },
  readinessProbe: { httpGet: { path: "/health", port: "http" }, periodSeconds: 5 },
};

/** A pod as KWOK leaves it: running, unready, with an address. */
function pod(
  container: Partial<Container> = {},
  extra: { readonly annotations?: Record<string, string>; readonly spec?: object } = {},
): Pod {
  const name = "llama";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "models",
      uid: `uid-${nextAddress}`,
      resourceVersion: "1",
      ...(extra.annotations === undefined ? {} : { annotations: extra.annotations }),
    },
    spec: {
      nodeName: "node-a",
      containers: [
        {
          name: "engine",
          image: "vllm/vllm-openai:v0.32.0",
          args: ["nvidia/Llama-3.1-8B-Instruct-FP8", "--shutdown-timeout=30"],
          terminationMessagePolicy: "FallbackToLogsOnError",
          resources: { limits: { "nvidia.com/gpu": "1" } },
          ...container,
        },
      ],
      ...extra.spec,
    },
    status: {
      phase: "Running",
      podIP: `${block}.${nextAddress++}`,
      conditions: [{ type: "PodScheduled", status: "True" }],
      containerStatuses: [
        {
          name: "engine",
          image: "vllm/vllm-openai:v0.32.0",
          imageID: "",
          ready: false,
          started: false,
          restartCount: 0,
          state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
        },
      ],
    },
  };
}

const condition = (api: FakeApi, type: string): string | undefined =>
  api.pods.get("llama")?.status?.conditions?.find((candidate) => candidate.type === type)?.status;
const answers = (api: FakeApi): Promise<boolean> =>
  fetch(`http://${api.pod().status?.podIP}:8000/health`).then(
    () => true,
    () => false,
  );

describe("a pod", () => {
  test("becomes Ready because its engine answers, with few writes, and keeps the conditions of others", async () => {
    const api = new FakeApi();
    api.put(pod(probed));
    expect(await answers(api)).toBe(false);
    await api.until(() => condition(api, "Ready") === "True");
    expect(await answers(api)).toBe(true);
    expect(api.container()).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
    });
    expect(condition(api, "PodScheduled")).toBe("True");
    expect(condition(api, "ContainersReady")).toBe("True");
    expect(api.requests.length).toBeLessThanOrEqual(2);
    const quiet = api.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(api.requests.length).toBe(quiet);
  });

  test("is Ready at once when its image is none of ours and nothing probes it", async () => {
    const api = new FakeApi();
    api.put(pod({ image: "nginx", args: [] }));
    await api.until(() => condition(api, "Ready") === "True");
    expect(api.requests).toEqual(["PATCH pods/llama/status"]);
  });

  test("restarts with growing delays, and the reason is in the engine's words", async () => {
    const api = new FakeApi({ kubeletSpeedup: 1000 });
    api.put(pod({ args: ["nvidia/Llama-3.1-8B-Instruct-FP8", "--foo"] }));
    await api.until(() => (api.container()?.restartCount ?? 0) >= 3);
    await api.until(() => api.container()?.state?.waiting !== undefined);
    expect(api.container()?.state?.waiting?.reason).toBe("CrashLoopBackOff");
    expect(api.container()?.state?.waiting?.message).toMatch(
      /^back-off (40s|1m20s|2m40s) restarting failed container=engine pod=llama_models\(uid-/,
    );
    expect(api.container()?.lastState?.terminated).toMatchObject({
      exitCode: 2,
      reason: "Error",
      message: expect.stringMatching(/vllm: error: unrecognized arguments: --foo$/),
    });
    expect(condition(api, "Ready")).toBe("False");
  });

  test("waits for a Secret that is missing, and starts when it is there", async () => {
    const api = new FakeApi();
    const env = [{ name: "HF_TOKEN", valueFrom: { secretKeyRef: { name: "hugging-face", key: "token" } } }];
    api.put(pod({ ...probed, args: ["meta-llama/Llama-3.1-8B-Instruct"], env }));
    await api.until(() => api.container()?.state?.waiting?.reason === "CreateContainerConfigError");
    expect(api.container()?.state?.waiting?.message).toBe('secret "hugging-face" not found');
    expect(api.pod().status?.phase).toBe("Pending");
    api.secrets.set("hugging-face", { token: "hf_x" });
    await api.until(() => condition(api, "Ready") === "True");
  });

  test("that is told to crash while it runs does so, and is restarted", async () => {
    const api = new FakeApi();
    api.put(pod(probed));
    await api.until(() => condition(api, "Ready") === "True");
    api.annotate(api.pod(), { "sim.llama-operator.dev/crash-after-seconds": "0 once" });
    await api.until(() => api.container()?.restartCount === 1 && condition(api, "Ready") === "True");
    expect(api.container()?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: "Error" });
  });

  test("that hangs is noticed by its liveness probe and killed after its grace", async () => {
    const api = new FakeApi();
    const livenessProbe = {
      httpGet: { path: "/health", port: "http" },
      periodSeconds: 2,
      failureThreshold: 1,
      timeoutSeconds: 1,
    };
    api.put(pod({ ...probed, livenessProbe }, { spec: { terminationGracePeriodSeconds: 1 } }));
    await api.until(() => condition(api, "Ready") === "True");
    api.annotate(api.pod(), { "sim.llama-operator.dev/hang": "true" });
    await api.until(() => api.container()?.restartCount === 1);
    expect(api.container()?.lastState?.terminated?.exitCode).toBe(137);
  });

  test("ends for good when its restart policy says so", async () => {
    const api = new FakeApi();
    api.put(pod({ args: ["acme/unknown"] }, { spec: { restartPolicy: "Never" } }));
    await api.until(() => api.pod().status?.phase === "Failed");
    expect(api.container()?.state?.terminated?.exitCode).toBe(1);
    api.delete("llama", 30);
    await api.until(() => !api.pods.has("llama"));
  });

  test("cannot pull an image for as long as the annotation says so", async () => {
    const api = new FakeApi();
    const fault = "sim.llama-operator.dev/image-pull-error";
    api.put(pod(probed, { annotations: { [fault]: "manifest unknown" } }));
    await api.until(() => api.container()?.state?.waiting?.reason === "ImagePullBackOff");
    api.annotate(api.pod(), { [fault]: null });
    await api.until(() => condition(api, "Ready") === "True");
  });

  test("runs out of memory once, if the fault says once", async () => {
    const api = new FakeApi();
    api.put(pod(probed, { annotations: { "sim.llama-operator.dev/oom": "once" } }));
    await api.until(() => condition(api, "Ready") === "True");
    expect(api.container()).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    });
  });

  test("waits for what its init container fetches", async () => {
    const api = new FakeApi();
    const initContainers = [{ name: "fetch", image: "busybox" }];
    api.put(
      pod(probed, {
        annotations: { "sim.llama-operator.dev/init-bytes": "2.8e12" },
        spec: { initContainers },
      }),
    );
    await api.until(() => condition(api, "Initialized") === "False");
    expect(api.pod().status).toMatchObject({
      phase: "Pending",
      containerStatuses: [{ state: { waiting: { reason: "PodInitializing" } } }],
    });
    await api.until(() => condition(api, "Ready") === "True");
    expect(api.pod().status?.initContainerStatuses?.[0]?.state?.terminated?.reason).toBe("Completed");
  });
});

describe("the end of a pod", () => {
  test("runs preStop, lets the engine finish what it answers, and then removes the pod", async () => {
    const api = new FakeApi({ kubeletSpeedup: 10 });
    api.put(pod({ ...probed, lifecycle: { preStop: { sleep: { seconds: 3 } } } }));
    await api.until(() => condition(api, "Ready") === "True");
    const address = api.pod().status?.podIP;
    const response = await fetch(`http://${address}:8000/v1/completions`, {
      method: "POST",
      body: JSON.stringify({ prompt: "x", max_tokens: 3000, ignore_eos: true, stream: true }),
    });
    api.delete("llama", 60);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await answers(api)).toBe(true);
    expect((await response.text()).endsWith("data: [DONE]\n\n")).toBe(true);
    await api.until(() => !api.pods.has("llama"));
    expect(api.requests.at(-1)).toMatch(
      /^DELETE pods\/llama \{"gracePeriodSeconds":0,"preconditions":\{"uid":"uid-\d+"\}\}$/,
    );
    await expect(fetch(`http://${address}:8000/health`)).rejects.toThrow("fetch failed");
  });

  test("comes by force when the grace period is over", async () => {
    const api = new FakeApi({ kubeletSpeedup: 10 });
    api.put(pod({ ...probed, lifecycle: { preStop: { sleep: { seconds: 600 } } } }));
    await api.until(() => condition(api, "Ready") === "True");
    const begun = Date.now();
    api.delete("llama", 20);
    await api.until(() => !api.pods.has("llama"));
    expect(Date.now() - begun).toBeGreaterThan(1000);
  });

  test("comes sooner when a second deletion shortens the grace period", async () => {
    const api = new FakeApi({ kubeletSpeedup: 1 });
    api.put(pod({ image: "nginx", lifecycle: { preStop: { sleep: { seconds: 600 } } } }));
    await api.until(() => condition(api, "Ready") === "True");
    api.delete("llama", 600);
    await new Promise((resolve) => setTimeout(resolve, 50));
    api.delete("llama", 1);
    await api.until(() => !api.pods.has("llama"));
  });

  test("is at once where nothing has started", async () => {
    const api = new FakeApi();
    const pending = pod();
    api.put({ ...pending, status: { phase: "Pending" } });
    api.delete("llama", 30);
    await api.until(() => !api.pods.has("llama"));
  });

  test("frees the address at once when the pod is deleted by force, without another request", async () => {
    const api = new FakeApi();
    api.put(pod(probed));
    await api.until(() => condition(api, "Ready") === "True");
    const address = api.pod().status?.podIP;
    const before = api.requests.length;
    api.forget("llama");
    await expect
      .poll(() => fetch(`http://${address}:8000/health`).catch((error: unknown) => String(error)))
      .toMatch(/fetch failed/);
    expect(api.requests.length).toBe(before);
  });
});

describe("a lost node", () => {
  const lost = "sim.llama-operator.dev/lost";

  test("answers nothing, says nothing of its pods, and is out of KWOK's hands", async () => {
    const api = new FakeApi();
    api.put(pod(probed));
    await api.until(() => condition(api, "Ready") === "True");
    api.requests.length = 0;
    api.annotate(node(), { [lost]: "true" });
    await api.until(() => api.nodes.get("node-a")?.status?.conditions?.[0]?.status === "Unknown");
    expect(api.nodes.get("node-a")?.metadata.annotations?.["kwok.x-k8s.io/node"]).toBe("lost");
    expect(await answers(api)).toBe(false);
    expect(api.requests).toEqual(["PATCH nodes/node-a", "PATCH nodes/node-a/status"]);
    expect(condition(api, "Ready")).toBe("True");
  });

  test("that comes back starts its pods again, and their restarts count", async () => {
    const api = new FakeApi();
    api.put(pod(probed));
    await api.until(() => condition(api, "Ready") === "True");
    api.annotate(node(), { [lost]: "true" });
    await api.until(() => api.nodes.get("node-a")?.metadata.annotations?.["kwok.x-k8s.io/node"] === "lost");
    const lostNode = api.nodes.get("node-a");
    if (lostNode !== undefined) api.annotate(lostNode, { [lost]: null });
    await api.until(() => api.container()?.restartCount === 1 && condition(api, "Ready") === "True");
    expect(api.container()?.lastState?.terminated).toMatchObject({ exitCode: 255, reason: "Unknown" });
    expect(api.nodes.get("node-a")?.metadata.annotations?.["kwok.x-k8s.io/node"]).toBe("fake");
  });
});

describe("probes", () => {
  test("count 200 to 399 as success and need their thresholds", async () => {
    const statuses = [200, 500, 500, 302];
    const server: Server = createServer((_, response) => response.writeHead(statuses.shift() ?? 302).end());
    const api = new FakeApi();
    const idle = pod({
      image: "web",
      ports: [{ name: "http", containerPort: 8000 }],
      readinessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 5, failureThreshold: 2 },
    });
    await new Promise<void>((resolve) => server.listen(8000, idle.status?.podIP, resolve));
    stops.push(async () => void server.close());
    const seen: (string | undefined)[] = [];
    api.put(idle);
    await api.until(() => {
      const ready = condition(api, "Ready");
      if (ready !== undefined && ready !== seen.at(-1)) seen.push(ready);
      return statuses.length === 0 && ready === "True";
    });
    expect(seen.filter((value, index) => index > 0 || value === "True")).toEqual(["True", "False", "True"]);
  });
});
