// The most memory that the operator ever takes: a cold start over many pods, and the time while they came.
import type { FleetBenchmark, Measurement } from "../benchmark.ts";
import { startOperator } from "../harness/fleet.ts";
import { largest, median } from "../statistics.ts";

const benchmark = "memory";

export const memory: FleetBenchmark = {
  name: benchmark,
  over: "many pods",
  async run({ sizes, signal, say }, cluster, fleet): Promise<readonly Measurement[]> {
    const peaks: number[] = [];
    const passes: number[] = [];
    for (let run = 1; run <= sizes.runs; run += 1) {
      await using operator = startOperator(cluster, `memory-${run}`);
      passes.push(await operator.reconciled(fleet.size, signal));
      await operator.idleFor(10, signal);
      peaks.push(await operator.peakResidentBytes());
      await operator.stop();
      say(
        `  peak ${Math.round((peaks.at(-1) ?? 0) / 1e6)} MB, first pass ${Math.round(passes.at(-1) ?? 0)} ms`,
      );
    }
    const of = `${fleet.size} LlamaDeployments and ${fleet.pods} pods`;
    return [
      {
        benchmark,
        what: "peak resident memory, cold start",
        value: largest(peaks) / 1e6,
        unit: "MB",
        below: 200,
        detail: `VmHWM, largest of ${sizes.runs} starts over ${of}; first pass after ${(median(passes) / 1000).toFixed(1)} s`,
      },
      {
        benchmark,
        what: "peak resident memory, while the pods came",
        value: fleet.peakResidentBytes / 1e6,
        unit: "MB",
        below: 200,
        detail: `VmHWM of the operator that scaled ${fleet.size} LlamaDeployments to ${fleet.pods} pods`,
      },
    ];
  },
};
