// The same manifest means the same engine, whatever was asked for before: edits that are taken back, edits one after the
// other, and what an upgrade leaves alone.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import type { RevisionData } from "../workloads/revision.ts";
import { oneGpu, wholeNode } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

type Fields = Readonly<Record<string, unknown>>;
type StoredRevision = KubeObject & { readonly data: RevisionData };

/** What the engine is told, and how it is laid out. */
function engineOf(sim: Simulation, llama = "chat"): unknown {
  const { command, tensor, pipeline, kvCache, weights, checkpoint } = sim.status(llama).plan ?? {};
  return { command, tensor, pipeline, kvCache, weights, checkpoint };
}

const batch = { engine: { args: { "max-num-seqs": "4", "gpu-memory-utilization": "0.6" } } } as const;
const noBatch = { engine: { args: { "max-num-seqs": null, "gpu-memory-utilization": null } } } as const;
const madeForAnnotation = "llama-operator.dev/plan-made-for";

test.each([
  ["flags of the engine", batch, noBatch],
  ["a tensor degree", { parallelism: { tensor: 8 } }, { parallelism: { tensor: null } }],
  ["the format of the KV cache", { quantization: { kvCache: "fp8" } }, { quantization: { kvCache: "auto" } }],
  ["the format of the weights", { quantization: { weights: "fp8" } }, { quantization: { weights: "auto" } }],
] as const)("%s that are taken back leave nothing behind", async (_, edit, takenBack) => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = engineOf(sim);
  sim.edit("chat", edit);
  await sim.settle();
  expect(engineOf(sim)).not.toEqual(before);
  sim.edit("chat", takenBack);
  await sim.settle();
  expect(engineOf(sim)).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  // It is the revision of the beginning, not a third one.
  expect(sim.list("ControllerRevision")).toHaveLength(2);
});

test("an edit that is taken back in the middle of its rollout leaves what serves alone", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.edit("chat", batch);
  await sim.pass(5);
  sim.edit("chat", noBatch);
  await sim.settle();
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("an edit that asks for what runs anyway restarts nothing", async () => {
  const sim = simulate();
  sim.llama("chat", wholeNode);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.edit("chat", { context: { maxTokens: 131_072 } });
  await sim.settle();
  expect(sim.endpoints("chat")).toEqual(before);
});

/** What people write, and nothing of what they do not. */
const settings = fc.record(
  {
    tensor: fc.constantFrom(2, 4, 8),
    seqs: fc.constantFrom("4", "64"),
    utilization: fc.constantFrom("0.6", "0.8"),
    kvCache: fc.constantFrom("bf16", "fp8"),
    weights: fc.constantFrom("bf16", "fp8"),
    maxTokens: fc.constantFrom(4096, 65_536),
    team: fc.constantFrom("a", "b"),
  },
  { requiredKeys: [] },
);

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

/** The edit from any of these specs to the one with these settings. */
function editTo({ tensor, seqs, utilization, kvCache, weights, maxTokens, team }: Settings): Fields {
  return {
    parallelism: { tensor: tensor ?? null },
    quantization: { kvCache: kvCache ?? "auto", weights: weights ?? "auto" },
    context: { maxTokens: maxTokens ?? null },
    engine: { args: { "max-num-seqs": seqs ?? null, "gpu-memory-utilization": utilization ?? null } },
    podTemplate: { labels: { team: team ?? null } },
  };
}

test("whatever was asked for before, a spec means the engine that it would mean alone", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(settings, fc.constantFrom(0, 1, 60)), { minLength: 1, maxLength: 4 }),
      settings,
      async (earlier, last) => {
        const fresh = simulate({ nodes: 2 });
        fresh.llama("chat", oneGpu);
        fresh.edit("chat", editTo(last));
        await fresh.settle();
        const sim = simulate({ nodes: 2 });
        sim.llama("chat", oneGpu);
        for (const [each, seconds] of earlier) {
          sim.edit("chat", editTo(each));
          await sim.pass(seconds);
        }
        sim.edit("chat", editTo(last));
        await sim.settle();
        sim.expectCondition("chat", { type: "Ready", status: "True" });
        expect(engineOf(sim)).toEqual(engineOf(fresh));
        expect(sim.pods("chat")).toHaveLength(1);
      },
    ),
    { numRuns: 12, seed: 53 },
  );
});

/** A model that serves with settings of an earlier spec, as releases before left it: nothing says what its plan was made for. */
async function leftover(): Promise<Simulation> {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, ...batch });
  await sim.settle();
  sim.killOperator();
  const [stored] = sim.list<StoredRevision>("ControllerRevision");
  sim.patch("ControllerRevision", stored?.metadata.name ?? "", {
    metadata: { annotations: { [madeForAnnotation]: null } },
    data: { intent: noBatch },
  });
  sim.edit("chat", noBatch);
  return sim;
}

test("a plan of an earlier release keeps serving, and status says in what the spec would be planned otherwise", async () => {
  const sim = await leftover();
  const before = sim.endpoints("chat");
  sim.forgetWrites();
  sim.startOperator();
  await sim.settle();
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  sim.expectCondition("chat", {
    type: "PlanDiffers",
    status: "True",
    reason: "PlanDiffers",
    message: "max-num-seqs is 4, planned anew 1024; ",
  });
  sim.expectCondition("chat", {
    type: "PlanDiffers",
    status: "True",
    message: "gpu-memory-utilization is 0.6, planned anew 0.92",
  });
  sim.forgetWrites();
  sim.restartOperator();
  await sim.settle();
  expect(sim.written()).toEqual([]);
});

test("a plan of an earlier release ends with the next change of what shapes it, and does not come back", async () => {
  const sim = await leftover();
  sim.startOperator();
  await sim.settle();
  const { command } = sim.status("chat").plan ?? {};
  sim.edit("chat", { podTemplate: { labels: { team: "a" } } });
  await sim.settle();
  expect(sim.status("chat").plan?.command).toEqual(command);
  sim.expectCondition("chat", { type: "PlanDiffers", status: "True" });
  sim.edit("chat", { context: { maxTokens: 65_536 } });
  await sim.settle();
  sim.expectNoCondition("chat", "PlanDiffers");
  sim.edit("chat", { context: { maxTokens: null }, podTemplate: { labels: { team: null } } });
  await sim.settle();
  sim.expectNoCondition("chat", "PlanDiffers");
  const fresh = simulate();
  fresh.llama("chat", oneGpu);
  await fresh.settle();
  expect(engineOf(sim)).toEqual(engineOf(fresh));
});

test("a newer catalog and planner, which would plan otherwise, roll nothing and say nothing", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.killOperator();
  const [stored] = sim.list<StoredRevision>("ControllerRevision");
  const limits = { maxNumSeqs: 96, gpuMemoryUtilization: 0.77 };
  const older = { kvCache: "fp8", limits, weights: { source: { revision: "f".repeat(40) } } };
  sim.patch("ControllerRevision", stored?.metadata.name ?? "", {
    data: { plan: { ...older, expectedKvCacheTokens: 1, because: [] }, intent: { layout: older } },
  });
  sim.forgetWrites();
  sim.startOperator();
  await sim.settle();
  expect(sim.effects()).toEqual([]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  sim.expectNoCondition("chat", "PlanDiffers");
});

test("a CRD that is newer than the operator, with one more field that has a default, restarts nothing", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.killOperator();
  // The API server fills defaults in as it reads: nobody has edited anything.
  const object = sim.llamaDeployment("chat");
  const podTemplate = { ...object.spec.podTemplate, hostIPC: false };
  const context = { ...object.spec.context, slidingWindow: "auto" };
  const engine = { ...object.spec.engine, sleepMode: false };
  const filled: KubeObject & { readonly spec: unknown } = {
    ...object,
    spec: { ...object.spec, podTemplate, context, engine },
  };
  sim.load([filled as typeof object]);
  sim.forgetWrites();
  sim.startOperator();
  await sim.settle();
  expect(sim.effects()).toEqual([]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test.each(["plan-made-for", "placements"])(
  "a %s note that somebody has spoilt is as good as none: nothing restarts",
  async (note) => {
    const sim = simulate();
    sim.llama("chat", oneGpu);
    await sim.settle();
    const pods = sim.pods("chat").map(({ metadata }) => metadata.uid);
    const [revision] = sim.list("ControllerRevision");
    for (const spoilt of ["{", '"text"', "[1]", '{"wish":7}']) {
      sim.patch("ControllerRevision", revision?.metadata.name ?? "", {
        metadata: { annotations: { [`llama-operator.dev/${note}`]: spoilt } },
      });
      await sim.settle();
      sim.restartOperator();
      await sim.settle();
    }
    expect(sim.pods("chat").map(({ metadata }) => metadata.uid)).toEqual(pods);
    sim.expectCondition("chat", { type: "Ready", status: "True" });
  },
);
