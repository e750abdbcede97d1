import { expect, test } from "vitest";
import { gpuPoolSpec, type GpuPool } from "@llama-operator/llama/api";
import { noMetrics, silentLogger } from "@llama-operator/kube-runtime";
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import type { HttpClientOptions } from "@llama-operator/kube-runtime/connection";
import { FakeClock, InMemoryKubeClient } from "@llama-operator/kube-runtime/testing";
import { operatorConfig, type OperatorConfig } from "./config.ts";
import { gpuPools } from "./observed/kinds.ts";
import { composeOperator } from "./start.ts";

const alone = { leaderElect: false, healthPort: null, metricsPort: null } as const;

function setUp(config: Partial<OperatorConfig>) {
  const client = new InMemoryKubeClient();
  const clock = new FakeClock();
  const asked: HttpClientOptions[] = [];
  const operator = composeOperator(operatorConfig.parse(config), {
    newClient: (options) => {
      asked.push(options);
      return client;
    },
    namespace: "operators",
    identity: "me_1",
    replica: "me",
    clock,
    random: () => 0.5,
    newId: () => "1",
    logger: silentLogger,
    registry: noMetrics,
    fetchText: async () => ({ status: 200, text: "" }),
    measuredOverheads: [],
  });
  return { client, clock, asked, operator };
}

const pool: GpuPool & KubeObject = {
  apiVersion: "llama-operator.dev/v1alpha1",
  kind: "GpuPool",
  metadata: { name: "h100", generation: 1 },
  spec: gpuPoolSpec.parse({ gpu: { product: "nvidia-h100-80gb", perNode: 8 } }),
};

test("on a client in memory and a clock by hand the whole operator runs, and stops in order", async () => {
  const { client, clock, asked, operator } = setUp(alone);
  const over = new AbortController();
  const running = operator.run(over.signal);
  await client.create(gpuPools, pool);
  await clock.advance(5000);
  expect(operator.cache.hasSynced).toBe(true);
  expect((await client.get(gpuPools, { name: "h100" })).status).toMatchObject({
    conditions: [{ type: "Ready", status: "True", reason: "NoNodes" }],
  });
  // One client, without a fence: there is no lease to lose.
  expect(asked).toEqual([{ fence: undefined }]);
  over.abort(new Error("stopping"));
  await clock.advance(1000);
  await running;
});

test("an API server that is too old is refused before anything of it is read", async () => {
  const asked: string[] = [];
  const { clock, client, operator } = setUp(alone);
  client.intercept = ({ verb, resource }) => {
    asked.push(`${verb} ${resource}`);
  };
  client.raw = async () => JSON.stringify({ major: "1", minor: "34", gitVersion: "v1.34.3" });
  const ended = operator.run(new AbortController().signal).catch(String);
  await clock.advance(1000);
  expect(await ended).toBe(
    "ServerVersionError: the API server is Kubernetes v1.34.3, and 1.35 or later is needed, because before it " +
      "resourceVersions have no order that may be relied on (KEP-5504)",
  );
  expect(asked).toEqual([]);
});

test("a lease makes the operator's client a fenced one, and has a lane and half the deadline of its own", async () => {
  const { asked } = setUp({ ...alone, leaderElect: true, renewDeadlineSeconds: 8 });
  expect(asked).toEqual([
    { lane: "lease", requestTimeoutMs: 4000, maxRetryWaitMs: 0 },
    { fence: { check: expect.any(Function) as unknown } },
  ]);
});

test("a webhook answers on a standby too, so its client has no fence", async () => {
  const { asked } = setUp({ ...alone, leaderElect: true, webhookPort: 0 });
  expect(asked).toHaveLength(3);
  expect(asked.at(-1)).toEqual({});
});
