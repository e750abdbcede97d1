// A child that somebody edits is put back: how long that takes, beside what the edit alone takes to come back on a
// watch, which is the least that anybody could need.
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, FleetBenchmark, Measurement } from "../benchmark.ts";
import { isWrite, tally } from "../harness/audit-log.ts";
import type { BenchCluster } from "../harness/cluster.ts";
import { startOperator, type Fleet } from "../harness/fleet.ts";
import { nameOf } from "../harness/load.ts";
import { deployments, podDisruptionBudgets, services } from "../../../src/operator/observed/kinds.ts";
import { deploymentLabel } from "../../../src/operator/workloads/labels.ts";
import type { KubeObject, Live } from "../../../src/kube-runtime/client/object.ts";
import type { ResourceType } from "../../../src/kube-runtime/client/resource.ts";
import { largest, median } from "../statistics.ts";

const benchmark = "repair";

/** What somebody does to a child, and how to see that it has been put back. */
interface Edit {
  readonly type: ResourceType;
  readonly patch: Readonly<Record<string, unknown>>;
  readonly isUndone: (object: KubeObject) => boolean;
}

const edits: readonly Edit[] = [
  {
    type: services,
    patch: { spec: { selector: { [deploymentLabel]: "somebody-else" } } },
    isUndone: (object) => !JSON.stringify(object).includes("somebody-else"),
  },
  {
    type: podDisruptionBudgets,
    patch: { spec: { maxUnavailable: 7 } },
    isUndone: (object) => (object as { spec?: { maxUnavailable?: unknown } }).spec?.maxUnavailable === 1,
  },
  {
    type: deployments,
    patch: { metadata: { labels: { "app.kubernetes.io/name": "edited" } } },
    isUndone: (object) => object.metadata?.labels?.["app.kubernetes.io/name"] !== "edited",
  },
];

/** LlamaDeployments whose children are edited. */
const edited = 10;

export const repair: FleetBenchmark = {
  name: benchmark,
  over: "fleet",
  async run(bench, cluster, fleet): Promise<readonly Measurement[]> {
    await using operator = startOperator(cluster, "repair");
    await operator.reconciled(fleet.size, bench.signal);
    const mark = await cluster.audit.mark();
    const repaired: number[] = [];
    const echoed: number[] = [];
    for (let index = 0; index < Math.min(edited, fleet.size); index += 1) {
      for (const edit of edits) {
        const { echoMs, repairMs } = await editAndWait(bench, cluster, fleet, nameOf(index), edit);
        echoed.push(echoMs);
        repaired.push(repairMs);
      }
    }
    const identity = await operator.identity(bench.signal);
    const { entries } = await cluster.audit.read(mark, identity);
    const writes = entries.filter(isWrite);
    const seconds = writes.length === repaired.length ? "one write each" : tally(writes);
    await operator.stop();
    return [
      {
        benchmark,
        what: "child edited to child put back, median",
        value: median(repaired),
        unit: "ms",
        detail:
          `${repaired.length} edits of Services, budgets and Deployments among ${fleet.size}, longest ` +
          `${Math.round(largest(repaired))} ms; ${seconds}; the edit itself is back on a watch after ` +
          `${median(echoed).toFixed(1)} ms`,
      },
    ];
  },
};

async function editAndWait(
  { signal }: Bench,
  { client }: BenchCluster,
  { namespace }: Fleet,
  name: string,
  { type, patch, isUndone }: Edit,
): Promise<{ readonly echoMs: number; readonly repairMs: number }> {
  const labelSelector = `${deploymentLabel}=${name}`;
  const { items, resourceVersion } = await client.list(type, { namespace, labelSelector, signal });
  const [child] = items;
  if (child === undefined) throw new Error(`${name} has no ${type.kind}`);
  const cut = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);
  const events = client.watch(type, { namespace, labelSelector, resourceVersion, signal: cut });
  // The watch is asked for before the edit is sent, or its opening would be part of what is measured.
  const first = events.next();
  await sleep(20);
  const startedMs = performance.now();
  const { uid } = (await client.mergePatch(type, { namespace, name: child.metadata.name }, patch, { signal }))
    .metadata;
  let echoMs: number | undefined;
  const judge = (object: Live<KubeObject>): boolean => {
    if (object.metadata.uid !== uid) return false;
    if (!isUndone(object)) echoMs ??= performance.now() - startedMs;
    return echoMs !== undefined && isUndone(object);
  };
  try {
    for (let event = await first; event.done !== true; event = await events.next()) {
      if (event.value.type === "BOOKMARK" || !judge(event.value.object)) continue;
      return { echoMs: echoMs ?? 0, repairMs: performance.now() - startedMs };
    }
  } finally {
    await events.return();
  }
  throw new Error(`the watch of ${type.kind} ended before ${child.metadata.name} was put back`);
}
