// How far engines are from their plans, as a metric: taken from what the statuses say whenever it is read, so that a
// restart loses nothing and what is gone leaves no series behind.
import type { LlamaDeployment } from "@llama-operator/llama/api";
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import type { Store } from "@llama-operator/kube-runtime/cache";
import type { Labels, MetricsRegistry } from "@llama-operator/kube-runtime";

const labels = ["engine", "engine_version", "gpu", "tensor", "pipeline", "weights"] as const;

/** Exports the largest shortfall of each kind of layout; few, because layouts are. */
export function exportDrift(
  registry: MetricsRegistry,
  deployments: Pick<Store<LlamaDeployment & KubeObject>, "list">,
): void {
  const gauge = registry.gauge({
    name: "llama_operator_kv_cache_drift_ratio",
    help: "KV cache that engines report against the planned one, less one; the lowest of the LlamaDeployments.",
    labels,
  });
  registry.beforeCollect(() => {
    gauge.clear();
    for (const { labels, ratio } of lowestDrifts(deployments.list())) gauge.with(labels).set(ratio);
  });
}

interface Drift {
  readonly labels: Labels;
  readonly ratio: number;
}

function lowestDrifts(deployments: readonly LlamaDeployment[]): Iterable<Drift> {
  const lowest = new Map<string, Drift>();
  for (const { status } of deployments) {
    const plan = status?.plan;
    if (plan?.measured === undefined) continue;
    const [engine = "", version = ""] = plan.engine.split(" ");
    const labels = {
      engine,
      engine_version: version,
      gpu: plan.gpu,
      tensor: String(plan.tensor),
      pipeline: String(plan.pipeline),
      weights: plan.weights,
    };
    const ratio = Number(plan.measured.driftPercent) / 100;
    const key = Object.values(labels).join(" ");
    const known = lowest.get(key);
    if (known === undefined || ratio < known.ratio) lowest.set(key, { labels, ratio });
  }
  return lowest.values();
}
