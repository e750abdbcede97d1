import { describe, expect, test } from "vitest";
import {
  llamaDeploymentSpec,
  type LlamaDeploymentStatus,
  apiGroupVersion,
  type LlamaDeployment,
} from "@llama-operator/llama/api";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { TextRequest, TextResponse } from "@llama-operator/kube-runtime/http";
import { silentLogger } from "@llama-operator/kube-runtime";
import { FakeClock } from "@llama-operator/kube-runtime/testing";
import { controllerRevision } from "../../workloads/controller-revision.ts";
import { cases } from "@llama-operator/llama/testing";
import { podLabels, type Role } from "../../workloads/labels.ts";
import { renderRevision } from "../../workloads/revision.ts";
import type { Pod } from "../../observed/pod.ts";
import { planStatusOf } from "../plan/plan-status.ts";
import { RevisionReader } from "../revision/stored.ts";
import { EngineMetrics } from "../../engine-metrics/engine-metrics.ts";
import { EngineReportReader } from "./reader.ts";
import { EngineReports } from "./reports.ts";

const { owner, spec, plan } = cases.eightB;
const ref = { namespace: owner.namespace, name: owner.name };
const data = renderRevision({ owner, spec, plan });
const subject = { ref, uid: owner.uid, revision: data.hash };
const stored = controllerRevision(owner, data, 1) as Live<KubeObject>;
const page = 'vllm:cache_config_info{kv_cache_size_tokens="440000"} 1.0\n';

function deployment(over: Partial<LlamaDeploymentStatus> = {}): Live<LlamaDeployment & KubeObject> {
  return {
    apiVersion: apiGroupVersion,
    kind: "LlamaDeployment",
    metadata: { ...ref, uid: owner.uid, resourceVersion: "1" },
    spec: llamaDeploymentSpec.parse(spec),
    status: {
      observedGeneration: 1,
      currentRevision: data.hash,
      plan: planStatusOf(data, undefined),
      ...over,
    },
  };
}

function pod(
  name: string,
  over: Partial<Pod> & { readonly role?: Role; readonly revision?: string } = {},
): Pod {
  const { role = "serving", revision = data.hash, ...facts } = over;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: owner.namespace,
      uid: name,
      resourceVersion: "1",
      labels: podLabels(owner.name, revision, role),
    },
    devices: {},
    phase: "Running",
    ready: true,
    address: `10.0.0.${name.length}`,
    engine: { startedAt: "2026-11-23T10:00:00Z" },
    ...facts,
  };
}

interface World {
  deployment: Live<LlamaDeployment & KubeObject> | undefined;
  pods: readonly Pod[];
  answer: () => Promise<TextResponse>;
}

function setUp(over: Partial<World> = {}) {
  const world: World = {
    deployment: deployment(),
    pods: [pod("a")],
    answer: async () => ({ status: 200, text: page }),
    ...over,
  };
  const asked: TextRequest[] = [];
  const woken: string[] = [];
  const clock = new FakeClock();
  const reports = new EngineReports();
  const reader = new EngineReportReader({
    caches: {
      llamaDeployments: { get: () => world.deployment },
      pods: { byIndex: () => world.pods },
      controllerRevisions: { get: ({ name }) => (name === stored.metadata.name ? stored : undefined) },
    },
    revisions: new RevisionReader(),
    reports,
    clock,
    engineMetrics: new EngineMetrics({
      clock,
      random: () => 0,
      logger: silentLogger,
      fetchText: async (request) => {
        asked.push(request);
        return world.answer();
      },
    }),
    wake: ({ name }) => woken.push(name),
  });
  const pass = async (signal = new AbortController().signal) =>
    reader.reconcile(ref, { signal, log: silentLogger });
  return { world, asked, woken, clock, reports, pass };
}

const failing = async (): Promise<TextResponse> => {
  throw new Error("connect ECONNREFUSED");
};

describe("a running engine", () => {
  test("is asked at its own address, and what it says wakes the reconciler", async () => {
    const { asked, woken, reports, pass } = setUp();
    expect(await pass()).toEqual({});
    expect(asked).toMatchObject([{ address: "10.0.0.1", port: 8000, path: "/metrics", timeoutMs: 3000 }]);
    expect(reports.get(subject)).toEqual({ tokens: 440_000 });
    expect(woken).toEqual([owner.name]);
  });

  test("is asked once, though its status is long in coming", async () => {
    const { asked, pass } = setUp();
    await pass();
    await pass();
    expect(asked).toHaveLength(1);
  });

  test("is the one of the revision's serving pods that has run longest", async () => {
    const { asked, pass } = setUp({
      pods: [
        pod("newer", { engine: { startedAt: "2026-11-23T11:00:00Z" }, address: "10.1.0.1" }),
        pod("oldest-b", { address: "10.1.0.3" }),
        pod("oldest-a", { address: "10.1.0.2" }),
        pod("unready", { ready: false, engine: { startedAt: "2026-11-23T08:00:00Z" } }),
        pod("worker", { role: "worker", engine: { startedAt: "2026-11-23T08:00:00Z" } }),
        pod("of-before", { revision: "0000000000", engine: { startedAt: "2026-11-23T08:00:00Z" } }),
      ],
    });
    await pass();
    expect(asked.map(({ address }) => address)).toEqual(["10.1.0.2"]);
  });
});

describe("nothing is asked", () => {
  const measured = { kvCacheTokens: 440_000, driftPercent: "-0.5" };
  test.each<[string, Partial<World>]>([
    ["while no pod is ready", { pods: [pod("a", { ready: false })] }],
    ["where status has the report", { deployment: deployment({ plan: planStatusOf(data, measured) }) }],
    ["before there is a plan", { deployment: { ...deployment(), status: { observedGeneration: 1 } } }],
    ["about a revision that is not stored", { deployment: deployment({ currentRevision: "ffffffffff" }) }],
    ["about an object that is gone", { deployment: undefined }],
  ])("%s", async (_when, over) => {
    const { asked, pass } = setUp(over);
    expect(await pass()).toEqual({});
    expect(asked).toEqual([]);
  });
});

describe("an engine that does not answer", () => {
  test("is asked four times, further and further apart, and then left alone", async () => {
    const { asked, clock, pass } = setUp({ answer: failing });
    const waits: (number | undefined)[] = [];
    for (let count = 0; count < 6; count += 1) {
      const { requeueAfterSeconds } = await pass();
      waits.push(requeueAfterSeconds);
      await clock.advance((requeueAfterSeconds ?? 0) * 1000);
    }
    expect(waits).toEqual([2, 10, 60, undefined, undefined, undefined]);
    expect(asked).toHaveLength(4);
  });

  test("is not asked sooner because something else happens", async () => {
    const { asked, clock, pass } = setUp({ answer: failing });
    await pass();
    await clock.advance(500);
    expect(await pass()).toEqual({ requeueAfterSeconds: 1.5 });
    expect(asked).toHaveLength(1);
  });

  test("may answer later", async () => {
    const { world, clock, reports, pass } = setUp({ answer: async () => ({ status: 503, text: "" }) });
    await pass();
    world.answer = async () => ({ status: 200, text: page });
    await clock.advance(2000);
    await pass();
    expect(reports.get(subject)).toEqual({ tokens: 440_000 });
  });

  test.each([401, 404, 302])("with its metrics but with %i is not asked again", async (status) => {
    const { asked, clock, woken, pass } = setUp({ answer: async () => ({ status, text: page }) });
    expect(await pass()).toEqual({});
    await clock.advance(120_000);
    await pass();
    expect(asked).toHaveLength(1);
    expect(woken).toEqual([]);
  });

  test("with its figures is asked again, and anew once it is about another revision", async () => {
    const { world, asked, pass } = setUp({ answer: async () => ({ status: 200, text: "<html>" }) });
    expect(await pass()).toEqual({ requeueAfterSeconds: 2 });
    const other = { ...subject, revision: "0123456789" };
    world.deployment = deployment({ currentRevision: other.revision });
    await pass();
    world.deployment = deployment();
    await pass();
    expect(asked).toHaveLength(2);
  });

  test("is given up at once when the operator stops", async () => {
    const stopping = new AbortController();
    const { pass } = setUp({
      answer: async () => {
        stopping.abort(new Error("stopping"));
        throw new Error("cut off");
      },
    });
    await expect(pass(stopping.signal)).rejects.toThrow("stopping");
  });
});

test("a report is of one object and one revision, and goes with the object", async () => {
  const { world, reports, pass } = setUp();
  await pass();
  expect(reports.get({ ...subject, revision: "0123456789" })).toBeUndefined();
  expect(reports.get({ ...subject, uid: "another" })).toBeUndefined();
  world.deployment = undefined;
  await pass();
  expect(reports.get(subject)).toBeUndefined();
});
