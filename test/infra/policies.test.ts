// The policy pack with the real engine: what it lets pass, what it stops and in which words, and what it can be told.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, onTestFailed, test } from "vitest";
import type { RunResult } from "../../infra/testing/pulumi.ts";
import { testEngine } from "../support/pulumi.ts";

const projectDir = fileURLToPath(new URL("../../infra/testing/policy-project", import.meta.url));
const pack = fileURLToPath(new URL("../../infra/policies/llama-operator-policies", import.meta.url));
const stack = "test";
const name = `policies-${randomBytes(4).toString("hex")}`;

const engine = await testEngine((cleanUp) => afterAll(cleanUp));
const folder = await mkdtemp(join(tmpdir(), "llama-operator-policies-"));
afterAll(async () => rm(folder, { recursive: true }));
/** What the pack is told. */
const toldFile = join(folder, "told.json");
const told = ["--policy-pack", pack, "--policy-pack-config", toldFile];

interface Wish {
  readonly pools: Readonly<Record<string, object>>;
  readonly privateNodes?: boolean;
  readonly protect?: boolean;
  readonly defaultProvider?: boolean;
  /** What the pack is told, policy by policy. */
  readonly configuration?: Readonly<Record<string, object>>;
}

async function run(kind: "preview" | "up", wish: Wish): Promise<RunResult> {
  const { pools, privateNodes = true, protect = true, defaultProvider = false, configuration = {} } = wish;
  await writeFile(toldFile, JSON.stringify(configuration));
  const values = { name, pools, privateNodes, protect, defaultProvider };
  const result = await engine[kind](projectDir, stack, {
    config: Object.fromEntries(Object.entries(values).map(([key, value]) => [`policy-test:${key}`, value])),
    args: told,
  });
  onTestFailed(() => console.error(result.output));
  return result;
}

/** What was violated, policy by policy. */
const violations = ({ events }: RunResult) =>
  Object.fromEntries(
    events.flatMap(({ policyEvent }) =>
      policyEvent === undefined ? [] : [[policyEvent.policyName, policyEvent.message.trim()]],
    ),
  );

const good = {
  nodeLocations: ["us-central1-a"],
  nodeCount: 2,
  nodeConfig: {
    machineType: "a3-highgpu-8g",
    taints: [{ key: "nvidia.com/gpu", value: "present", effect: "NO_SCHEDULE" }],
    reservationAffinity: {
      consumeReservationType: "SPECIFIC_RESERVATION",
      key: "compute.googleapis.com/reservation-name",
      values: ["h100"],
    },
  },
  management: { autoRepair: true, autoUpgrade: true },
  upgradeSettings: { maxSurge: 0, maxUnavailable: 1 },
};

const onlySpot = {
  nodeCount: 2,
  nodeConfig: { machineType: "a3-highgpu-8g", spot: true },
  management: { autoRepair: false, autoUpgrade: true },
};

test("a stack that keeps the rules is previewed without a word", async () => {
  const result = await run("preview", { pools: { h100: good } });
  expect(violations(result)).toEqual({});
  expect(result.exitCode).toBe(0);
  expect(result.output).toContain("llama-operator@v0.1.0");
});

test("a pool that breaks every rule is told all of them at once, and what to write", async () => {
  const { reservationAffinity } = good.nodeConfig;
  const reserved = { ...onlySpot, nodeConfig: { machineType: "a3-highgpu-8g", reservationAffinity } };
  const result = await run("preview", {
    pools: { spot: onlySpot, reserved },
    protect: false,
    defaultProvider: true,
  });
  expect(result.exitCode).not.toBe(0);
  expect(violations(result)).toEqual({
    "protected-bought-capacity": expect.stringContaining("write protect: true in its options"),
    "no-surge-of-bought-capacity": expect.stringContaining(
      "upgradeSettings: { maxSurge: 0, maxUnavailable: 1 }",
    ),
    "tainted-gpu-pools": expect.stringContaining("write nodeConfig.taints"),
    "fabric-in-one-zone": expect.stringContaining("write nodeLocations: one zone"),
    "no-spot-gpus": expect.stringContaining("name spot in this policy's pools"),
    "repaired-gpu-nodes": expect.stringContaining("write management.autoRepair: true"),
    "explicit-providers": expect.stringContaining("pass one in its options"),
  });
});

test("an up makes no pool that breaks a rule, even where nobody asked for a preview", async () => {
  const result = await run("up", { pools: { spot: onlySpot } });
  expect(result.exitCode).not.toBe(0);
  const made = engine.clouds.requests().filter(({ type }) => type === "gcp:container/nodePool:NodePool");
  expect(made.filter(({ operation }) => operation === "create")).toEqual([]);
});

test("spot capacity is let pass where the policy is told the pool's name", async () => {
  const spot = { ...good, nodeConfig: { ...onlySpot.nodeConfig, taints: good.nodeConfig.taints } };
  expect(violations(await run("preview", { pools: { spot } }))).toEqual({
    "no-spot-gpus": expect.stringContaining("spot nodes are taken back"),
  });
  const configuration = { "no-spot-gpus": { pools: ["spot"] } };
  expect(violations(await run("preview", { pools: { spot }, configuration }))).toEqual({});
});

test("the whole stack is judged by its GPUs together, and by what its cluster says of addresses", async () => {
  const result = await run("preview", {
    pools: { h100: good, more: { ...good, nodeCount: 1 } },
    privateNodes: false,
    configuration: { "gpu-limit": { maxGpus: 16 } },
  });
  expect(result.exitCode).not.toBe(0);
  expect(violations(result)).toEqual({
    "gpu-limit": expect.stringContaining(
      "the stack can have 24 GPUs (h100 16, more 8), and may have 16 at most",
    ),
    "private-gpu-nodes": expect.stringContaining("write networkConfig.enablePrivateNodes: true"),
  });
});

const reservations = [
  { name: "llama-h100", zone: "us-central1-a", machineType: "a3-highgpu-8g", count: 2 },
  { name: "cr-0123456789abcdef0", zone: "us-east-1a", machineType: "p5.48xlarge", count: 2 },
];

// What they can have in GPUs shows that their pools were seen.
test.each([
  ["gke-a3-high", 16],
  ["gke-a3-mega", 32],
  ["eks-p5", 16],
  ["aks-nd-h100-v5", 16],
])("the example stack %s keeps the rules", async (example, gpus) => {
  await engine.clouds.setAccount({ reservations });
  await writeFile(toldFile, JSON.stringify({ "gpu-limit": { maxGpus: 0 } }));
  const platform = fileURLToPath(new URL("../../infra/platform", import.meta.url));
  const result = await engine.preview(platform, example, { args: told });
  onTestFailed(() => console.error(result.output));
  expect(violations(result)).toEqual({ "gpu-limit": expect.stringContaining(`can have ${gpus} GPUs`) });
});

test("a policy can be made advice", async () => {
  const { taints: _, ...nodeConfig } = good.nodeConfig;
  const configuration = { "tainted-gpu-pools": { enforcementLevel: "advisory" } };
  const result = await run("preview", { pools: { h100: { ...good, nodeConfig } }, configuration });
  expect(Object.keys(violations(result))).toEqual(["tainted-gpu-pools"]);
  expect(result.exitCode).toBe(0);
});
