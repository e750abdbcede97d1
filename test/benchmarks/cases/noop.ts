// A pass that finds nothing to do. The operator's own controllers run in this process, without a lease and with one
// worker, so that the runtime's timer around a pass measures that pass alone.
import { setTimeout as sleep } from "node:timers/promises";
import type { FleetBenchmark, Measurement } from "../benchmark.ts";
import { tally } from "../harness/audit-log.ts";
import type { BenchCluster } from "../harness/cluster.ts";
import { deploymentType, nameOf } from "../harness/load.ts";
import { OperatorInProcess } from "../harness/operator-in-process.ts";
import { ReconcileTimes } from "../harness/reconcile-times.ts";
import { systemClock } from "../../../src/kube-runtime/clock.ts";
import { median, percentile } from "../statistics.ts";

const benchmark = "noop";
const agent = "llama-benchmark-noop";

/** GETs that the pass is compared with. */
const gets = 300;

export const noop: FleetBenchmark = {
  name: benchmark,
  over: "fleet",
  async run({ sizes, signal, say }, cluster, fleet): Promise<readonly Measurement[]> {
    const times = new ReconcileTimes("llamadeployment");
    await using operator = await OperatorInProcess.start({
      kubeconfig: cluster.local.kubeconfigPath,
      userAgent: agent,
      clock: systemClock,
      registry: times,
      workers: 1,
    });
    const first = await times.collect(fleet.size, signal);
    await operator.idle(signal);
    times.clear();

    const mark = await cluster.audit.mark();
    const passes: number[] = [];
    const startedMs = performance.now();
    for (let pass = 0; pass < sizes.passes; pass += 1) {
      for (let index = 0; index < fleet.size; index += 1) {
        operator.reconcile("llamadeployment", { namespace: fleet.namespace, name: nameOf(index) });
      }
      passes.push(...(await times.collect(fleet.size, signal)));
      times.clear();
    }
    const perSecond = passes.length / ((performance.now() - startedMs) / 1000);
    const { entries } = await cluster.audit.read(mark, agent);
    const requests = entries.filter(({ verb }) => verb !== "watch");
    if (requests.length > 0) say(`  asked the API server: ${tally(requests)}`);
    const get = await timeOfGet(cluster, fleet.namespace, signal);

    const of = `${sizes.passes} passes over each of ${fleet.size} LlamaDeployments with ${fleet.pods} pods`;
    const cold = `first passes after start: ${percentile(first, 50).toFixed(2)} and ${percentile(first, 99).toFixed(2)} ms`;
    return [
      {
        benchmark,
        what: "no-op pass, median",
        value: percentile(passes, 50),
        unit: "ms",
        below: 1,
        detail: `${of}; one GET of one object, the least that a single call would cost, takes ${get.toFixed(2)} ms`,
      },
      {
        benchmark,
        what: "no-op pass, 99th percentile",
        value: percentile(passes, 99),
        unit: "ms",
        below: 5,
        detail: cold,
      },
      {
        benchmark,
        what: "requests to the API server meanwhile",
        value: requests.length,
        unit: "requests",
        atMost: 0,
        detail: "audit log",
      },
      {
        benchmark,
        what: "no-op passes a second, one process",
        value: perSecond,
        unit: "/s",
        detail: "one worker, queue included",
      },
    ];
  },
};

async function timeOfGet({ client }: BenchCluster, namespace: string, signal: AbortSignal): Promise<number> {
  const times: number[] = [];
  for (let each = 0; each < gets; each += 1) {
    const startedMs = performance.now();
    await client.get(deploymentType, { namespace, name: nameOf(0) }, { signal });
    times.push(performance.now() - startedMs);
  }
  await sleep(0);
  return median(times);
}
