// vLLM: its image, its drain, and what its container is made of.
// Command line and environment have a file each.
import { engineImage } from "../catalog/engines/vllm.ts";
import { findGpu } from "../catalog/gpus.ts";
import type { Engine, EngineContainer, EngineInput } from "./engine.ts";
import { vllmKvCacheMetrics, vllmKvCacheReport } from "./metrics/vllm-kv-cache-report.ts";
import { vllmLoad, vllmLoadMetrics } from "./metrics/vllm-load.ts";
import { refusedArguments, vllmArguments, type VllmServing } from "./vllm-arguments.ts";
import { cacheDirectory, refusedEnvironment, vllmEnvironment } from "./vllm-environment.ts";

/**
 * 15 s until every proxy and gateway has dropped the endpoint, then 45 s for requests in flight: KServe 0.19's
 * values. vLLM's own default of 0 cuts requests off (vllm-project/vllm, pull request 34730).
 */
const serving: VllmServing = {
  port: 8000,
  healthPath: "/health",
  // VLLM_API_KEY guards paths below /v1 alone (AuthenticationMiddleware in vllm/entrypoints/openai).
  metricsPath: "/metrics",
  preStopSeconds: 15,
  shutdownTimeoutSeconds: 45,
};

/** The user `vllm` of the published image; any other has no home there (vllm-project/vllm, pull request 40275). */
const vllmUser = 2000;

function container(input: EngineInput): EngineContainer {
  const { spec, plan } = input;
  return {
    image: spec.engine.image ?? engineImage(plan.engine.version, findGpu(plan.gpu)?.vendor ?? "nvidia"),
    command: ["vllm", "serve"],
    args: vllmArguments(input, serving),
    env: vllmEnvironment(input),
    writablePaths: [cacheDirectory, "/tmp"],
    runAsUser: vllmUser,
  };
}

export const vllm: Engine = {
  type: "vllm",
  serving,
  servedModelName: (spec) => spec.model.name,
  container,
  refusals: (spec) => [...refusedArguments(spec.engine.args), ...refusedEnvironment(spec.engine.env)],
  metricNames: new Set([...vllmLoadMetrics, ...vllmKvCacheMetrics]),
  load: vllmLoad,
  kvCacheReport: vllmKvCacheReport,
};
