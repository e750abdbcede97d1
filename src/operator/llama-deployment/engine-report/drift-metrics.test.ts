import { expect, test } from "vitest";
import type { LlamaDeployment } from "@llama-operator/llama/api";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { PrometheusRegistry } from "../../telemetry/metrics.ts";
import { cases } from "@llama-operator/llama/testing";
import { renderRevision } from "../../workloads/revision.ts";
import { planStatusOf } from "../plan/plan-status.ts";
import { exportDrift } from "./drift-metrics.ts";

type Deployment = Live<LlamaDeployment & KubeObject>;

function reporting(driftPercent: string | undefined, given = cases.eightB): Deployment {
  const measured = driftPercent === undefined ? undefined : { kvCacheTokens: 1, driftPercent };
  const plan = planStatusOf(renderRevision(given), measured);
  return { spec: given.spec, status: { observedGeneration: 1, plan } } as Deployment;
}

test("the lowest drift of each kind of layout is exported, for as long as somebody reports it", async () => {
  const deployments: Deployment[] = [];
  const registry = new PrometheusRegistry();
  exportDrift(registry, { list: () => deployments });
  const series = async () =>
    (await registry.page()).text.split("\n").filter((line) => line.startsWith("llama_operator_"));
  expect(await series()).toEqual([]);

  deployments.push(reporting("1.0"), reporting("-4.2"), reporting(undefined));
  deployments.push(reporting("0.5", cases.fourHundredFiveB));
  const labels = (tensor: number, weights: string) =>
    `engine="vllm",engine_version="0.32.0",gpu="nvidia-h100-80gb",tensor="${tensor}",pipeline="1",weights="${weights}"`;
  expect(await series()).toEqual([
    `llama_operator_kv_cache_drift_ratio{${labels(1, "bf16")}} -0.042`,
    `llama_operator_kv_cache_drift_ratio{${labels(8, "fp8")}} 0.005`,
  ]);

  deployments.splice(1);
  expect(await series()).toEqual([`llama_operator_kv_cache_drift_ratio{${labels(1, "bf16")}} 0.01`]);
});
