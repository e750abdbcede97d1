// Lives that nobody wrote: people's deeds, late caches, dying pods and a dying operator in any order. When all is quiet
// again, both models serve as they were asked to, nothing is left over, and a restart writes nothing.
import { expect, test } from "vitest";
import * as fc from "fast-check";
import { oneGpu, refusedEngine, twoNodes } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const kinds = ["Pod", "Deployment", "LlamaDeployment", "ControllerRevision", "Node", "LeaderWorkerSet"];
const mended = { engine: { args: { tokenizer: null } } };

/** What may happen; `n` is a small number that the deed may use. */
const deeds: Readonly<Record<string, (sim: Simulation, n: number) => void>> = {
  scaleChat: (sim, n) => sim.scale("chat", n),
  scaleBig: (sim, n) => sim.scale("big", n % 3),
  editChat: (sim, n) => sim.edit("chat", { podTemplate: { labels: { team: `t${n % 3}` } } }),
  editBig: (sim, n) => sim.edit("big", { podTemplate: { labels: { team: `t${n % 3}` } } }),
  breakOrMendChat: (sim, n) => sim.edit("chat", n % 2 === 0 ? { engine: refusedEngine } : mended),
  failPod: (sim) => {
    const running = sim
      .pods("chat")
      .find(
        ({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase === "Running",
      );
    if (running !== undefined) sim.failPod(running);
  },
  deletePod: (sim, n) => {
    const pods = sim.pods("chat");
    const pod = pods[n % Math.max(1, pods.length)];
    if (pod !== undefined) sim.deletePod(pod);
  },
  delayWatches: (sim, n) => {
    for (const kind of kinds) sim.delayWatch(kind, n % 3);
  },
  crash: (sim, n) => {
    if (sim.isOperatorRunning) sim.crashAfterWrite(1 + (n % 4));
  },
  start: (sim) => {
    if (!sim.isOperatorRunning) sim.startOperator();
  },
  restart: (sim) => sim.restartOperator(),
};

const step = fc.record({
  deed: fc.constantFrom(...Object.keys(deeds)),
  n: fc.nat(6),
  seconds: fc.constantFrom(0, 0.2, 1, 5, 40, 200),
});

test("whatever happened, in the end what is asked for serves, and nothing else is there", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), fc.nat(1000), async (steps, seed) => {
      const sim = simulate({ nodes: 4, seed });
      sim.llama("chat", { ...oneGpu, replicas: 2 });
      sim.llama("big", twoNodes);
      for (const { deed, n, seconds } of steps) {
        deeds[deed]?.(sim, n);
        await sim.pass(seconds);
      }
      for (const kind of kinds) sim.delayWatch(kind, 0);
      sim.crashAfterWrite(Number.MAX_SAFE_INTEGER);
      sim.restartOperator();
      sim.edit("chat", { ...mended, replicas: 2 });
      sim.scale("big", 1);
      await sim.settle();
      await sim.pass(600);
      await sim.settle();

      sim.expectCondition("chat", { type: "Ready", status: "True" });
      sim.expectCondition("big", { type: "Ready", status: "True" });
      expect(sim.endpoints("chat")).toHaveLength(2);
      expect(sim.list("Deployment")).toHaveLength(1);
      expect(sim.list("LeaderWorkerSet")).toHaveLength(1);
      expect(
        JSON.stringify(sim.pods("chat").map(({ metadata }) => metadata.annotations ?? {})),
      ).not.toContain("llama-operator.dev/victim");
      sim.forgetWrites();
      sim.restartOperator();
      await sim.settle();
      expect(sim.written().filter((write) => !write.includes("GpuPool"))).toEqual([]);
    }),
    // The same lives in every run, so that one that fails tells of the change at hand; more by other seeds by hand.
    { numRuns: 12, seed: 99 },
  );
});
