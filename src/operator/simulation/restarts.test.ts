// The operator's own misfortunes: it dies after any of its writes, its writes fail, what it sees comes late. The end
// is that of a life in which nothing happens.
import { beforeAll, describe, expect, test } from "vitest";
import { ApiError, ConnectionError } from "@llama-operator/kube-runtime/client";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { simulate, type Simulation, type SimulationOptions } from "../testing/simulation.ts";

interface Life {
  /** Whether to die after writes of status too. */
  readonly dieAfterStatus: boolean;
  readonly options: SimulationOptions;
  readonly live: (sim: Simulation, rest: () => Promise<void>) => Promise<void>;
}

const lives: Readonly<Record<string, Life>> = {
  "a first start": {
    dieAfterStatus: true,
    options: { nodes: 1 },
    live: async (sim, rest) => {
      sim.llama("chat", oneGpu);
      await rest();
    },
  },
  "a rollout without spare GPUs": {
    dieAfterStatus: false,
    options: { nodes: 1 },
    live: async (sim, rest) => {
      sim.llama("chat", wholeNode);
      await rest();
      sim.edit("chat", { context: { maxTokens: 65_536 } });
      await rest();
    },
  },
  "a group": {
    dieAfterStatus: false,
    options: { nodes: 2 },
    live: async (sim, rest) => {
      sim.llama("chat", twoNodes);
      await rest();
      sim.scale("chat", 0);
      await rest();
    },
  },
};

/** What lasts: the objects, and what status says but for times. */
function endOf(sim: Simulation): unknown {
  const { conditions = [], ...status } = sim.status("chat");
  return {
    objects: sim.objects(),
    status,
    conditions: conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
    pods: sim.pods("chat").length,
    deployments: sim.list("Deployment").map((object) => (object as unknown as { spec: object }).spec),
  };
}

describe.each(Object.entries(lives))("in %s", (_, life) => {
  let reference: Simulation;
  let expected: unknown;

  beforeAll(async () => {
    reference = simulate(life.options);
    await life.live(reference, async () => reference.settle());
    expected = endOf(reference);
  });

  test("dying after any write comes to the same end", async () => {
    for (const [index, { verb, kind, name, why }] of reference.writes().entries()) {
      // Of status, those of the first start stand for all.
      if (verb === "status" && !life.dieAfterStatus) continue;
      const sim = simulate(life.options);
      sim.crashAfterWrite(index + 1);
      await life.live(sim, async () => {
        await sim.settle();
        if (sim.isOperatorRunning) return;
        sim.startOperator();
        await sim.settle();
      });
      expect(endOf(sim), `died after ${verb} ${kind} ${name}: ${why}`).toEqual(expected);
    }
  }, 20_000);

  test.each(["Pod", "Deployment", "LlamaDeployment", "LeaderWorkerSet", "ControllerRevision", "Node"])(
    "seeing each %s a second late comes to the same end, and nothing is done twice",
    async (kind) => {
      const sim = simulate(life.options);
      sim.delayWatch(kind, 1);
      await life.live(sim, async () => sim.settle());
      expect(endOf(sim)).toEqual(expected);
      expect(sim.effects().toSorted()).toEqual(reference.effects().toSorted());
    },
  );
});

test("a restart writes nothing", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  sim.llama("big", twoNodes);
  await sim.settle();
  await sim.stopOperator();
  sim.forgetWrites();
  sim.startOperator();
  await sim.settle();
  expect(sim.written().filter((write) => !write.includes("GpuPool"))).toEqual([]);
});

test.each([
  ["an error of the server", new ApiError("simulated", { code: 500, reason: "InternalError" })],
  ["a conflict", new ApiError("simulated", { code: 409, reason: "Conflict" })],
  ["a lost connection", new ConnectionError("reset", "simulated")],
])("a write that ends in %s is tried again", async (_, error) => {
  const sim = simulate();
  sim.refuse({ verb: "apply", kind: "Deployment" }, error, 2);
  sim.refuse({ verb: "apply", kind: "LlamaDeployment", status: true }, error, 2);
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.events("chat")).toEqual(["Normal Fits", "Normal Serving"]);
});

test("a write that the API server refuses is told in status, and tried again", async () => {
  const sim = simulate();
  const quota = new ApiError("simulated", {
    code: 403,
    reason: "Forbidden",
    message: "exceeded quota: gpus",
  });
  sim.refuse({ verb: "apply", kind: "Deployment" }, quota, 3);
  sim.llama("chat", oneGpu);
  await sim.pass(10);
  sim.expectCondition("chat", {
    type: "Ready",
    status: "False",
    reason: "WriteRefused",
    message: "exceeded quota: gpus",
  });
  // Every half minute.
  await sim.pass(120);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("the operator is told to stop and ends, and another goes on where it was", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  await sim.pass(5);
  await sim.stopOperator();
  sim.forgetWrites();
  await sim.pass(60);
  expect(sim.written()).toEqual([]);
  sim.startOperator();
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", message: "2 of 2" });
  expect(sim.effects()).toEqual([]);
});
