// The operator's own misfortunes: it dies after any of its writes, its writes fail, what it sees comes late. The end
// is that of a life in which nothing happens.
import { describe, expect, test } from "vitest";
import { ApiError, ConnectionError } from "@llama-operator/kube-runtime/client";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { simulate, type Simulation, type SimulationOptions } from "../testing/simulation.ts";

interface Life {
  readonly options: SimulationOptions;
  readonly live: (sim: Simulation, rest: () => Promise<void>) => Promise<void>;
}

const lives: Readonly<Record<string, Life>> = {
  "a first start": {
    options: { nodes: 1 },
    live: async (sim, rest) => {
      sim.llama("chat", oneGpu);
      await rest();
    },
  },
  "a rollout without spare GPUs": {
    options: { nodes: 1 },
    live: async (sim, rest) => {
      sim.llama("chat", wholeNode);
      await rest();
      sim.edit("chat", { context: { maxTokens: 65_536 } });
      await rest();
    },
  },
  "a group": {
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

async function unharmed({ options, live }: Life): Promise<Simulation> {
  const sim = simulate(options);
  await live(sim, async () => sim.settle());
  return sim;
}

describe.each(Object.entries(lives))("in %s", (_, life) => {
  test("dying after any write comes to the same end", async () => {
    const reference = await unharmed(life);
    const expected = endOf(reference);
    for (let n = 1; n <= reference.written().length; n += 1) {
      const sim = simulate(life.options);
      sim.crashAfterWrite(n);
      await life.live(sim, async () => {
        await sim.settle();
        if (sim.isOperatorRunning) return;
        sim.startOperator();
        await sim.settle();
      });
      expect(endOf(sim), `died after ${reference.written()[n - 1]}`).toEqual(expected);
    }
  });

  test.each(["Pod", "Deployment", "LlamaDeployment", "LeaderWorkerSet", "ControllerRevision", "Node"])(
    "seeing %ss a second late comes to the same end, and nothing is done twice",
    async (kind) => {
      const reference = await unharmed(life);
      const sim = simulate(life.options);
      sim.delayWatch(kind, 1);
      await life.live(sim, async () => sim.settle());
      expect(endOf(sim)).toEqual(endOf(reference));
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
