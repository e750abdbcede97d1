// A restart over a fleet at rest: how soon everything has been looked at again, and that nothing is written for it.
// The same starts are what stalls of the event loop are measured on.
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, FleetBenchmark, Measurement } from "../benchmark.ts";
import { isWrite, tally } from "../harness/audit-log.ts";
import type { BenchCluster } from "../harness/cluster.ts";
import { startOperator, type Fleet } from "../harness/fleet.ts";
import { largest, median } from "../statistics.ts";

const benchmark = "restart";
const stallSeries = "event_loop_max_delay_seconds";

interface Restart {
  readonly firstPassMs: number;
  readonly processorSeconds: number;
  readonly stallMs: number;
  readonly writes: number;
}

export const restart: FleetBenchmark = {
  name: benchmark,
  over: "fleet",
  async run(bench, cluster, fleet): Promise<readonly Measurement[]> {
    const { runs } = bench.sizes;
    const restarts: Restart[] = [];
    for (let run = 1; run <= runs; run += 1) {
      restarts.push(await restartOnce(bench, cluster, fleet, run));
    }
    const of = `${runs} cold starts over ${fleet.size} LlamaDeployments and ${fleet.pods} pods`;
    const cpu = median(restarts.map(({ processorSeconds }) => processorSeconds));
    return [
      {
        benchmark,
        what: "process started to first pass over all done",
        value: median(restarts.map(({ firstPassMs }) => firstPassMs)) / 1000,
        unit: "s",
        atMost: 5,
        detail: `median of ${of}; of it ${cpu.toFixed(1)} s of processor time`,
      },
      {
        benchmark,
        what: "writes but the Lease",
        value: restarts.reduce((sum, { writes }) => sum + writes, 0),
        unit: "requests",
        atMost: 0,
        detail: `audit log, all ${runs} starts`,
      },
      {
        benchmark,
        what: "longest stall of the event loop",
        value: largest(restarts.map(({ stallMs }) => stallMs)),
        unit: "ms",
        below: 250,
        detail: `${stallSeries} of the first 10 s, longest of ${runs} starts`,
      },
    ];
  },
};

async function restartOnce(bench: Bench, cluster: BenchCluster, fleet: Fleet, run: number): Promise<Restart> {
  const { signal, say } = bench;
  const { audit } = cluster;
  const mark = await audit.mark();
  await using operator = startOperator(cluster, `restart-${run}`);
  const firstPassMs = await operator.reconciled(fleet.size, signal);
  const processorSeconds = await operator.processorSeconds();
  const stallMs = await stall(operator, signal);
  const identity = await operator.identity(signal);
  await operator.stop();
  const { entries } = await audit.read(mark, identity);
  const writes = entries.filter(isWrite);
  if (writes.length > 0) say(`  restart wrote: ${tally(writes)}`);
  say(
    `  first pass ${Math.round(firstPassMs)} ms, processor ${processorSeconds.toFixed(2)} s, ` +
      `stall ${Math.round(stallMs)} ms`,
  );
  return { firstPassMs, processorSeconds, stallMs, writes: writes.length };
}

/** The gauge is set every ten seconds; before that it is zero. */
async function stall(operator: ReturnType<typeof startOperator>, signal: AbortSignal): Promise<number> {
  for (;;) {
    const seconds = (await operator.metrics(signal)).get(stallSeries) ?? 0;
    if (seconds > 0) return seconds * 1000;
    await sleep(200, undefined, { signal });
  }
}
