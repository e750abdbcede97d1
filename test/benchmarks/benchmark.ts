// What a benchmark is: a name, what it needs, and measurements that each carry the bound they are judged by.
import type { BenchCluster } from "./harness/cluster.ts";
import type { Fleet } from "./harness/fleet.ts";

/** How much of everything; `full` is what the documented table shows, `smoke` checks that it all still works. */
export interface Sizes {
  /** LlamaDeployments. */
  readonly deployments: number;
  /** Pods of each while `memory` is measured; one of each in all else. */
  readonly podsPerDeployment: number;
  /** Repetitions, of which the median counts. */
  readonly runs: number;
  /** Repetitions of each way to lose a leader. */
  readonly failovers: number;
  /** Simulated minutes at rest. */
  readonly restMinutes: number;
  /** Passes over every object in `noop`. */
  readonly passes: number;
  readonly lease: LeaseTimes;
}

/** Seconds. */
export interface LeaseTimes {
  readonly leaseDuration: number;
  readonly renewDeadline: number;
  readonly retryPeriod: number;
}

export interface Measurement {
  /** Name of the benchmark. */
  readonly benchmark: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The most, or below which, `value` may be; absent where it is only told. */
  readonly atMost?: number;
  readonly below?: number;
  /** What it is compared with and how it was made, in a few words. */
  readonly detail: string;
}

/** What a benchmark works with. */
export interface Bench {
  readonly sizes: Sizes;
  readonly signal: AbortSignal;
  /** Progress, for people. */
  readonly say: (text: string) => void;
  /** Where to write a CPU profile of each operator. */
  readonly profileFolder: string | undefined;
}

/** Needs a cluster of its own, in which nothing is yet. */
export interface EmptyBenchmark {
  readonly name: string;
  readonly over: "empty";
  run(bench: Bench, cluster: BenchCluster): Promise<readonly Measurement[]>;
}

/** Runs over LlamaDeployments at rest, with one pod each or with all of them, and leaves them so. */
export interface FleetBenchmark {
  readonly name: string;
  readonly over: "fleet" | "many pods";
  run(bench: Bench, cluster: BenchCluster, fleet: Fleet): Promise<readonly Measurement[]>;
}

export type Benchmark = EmptyBenchmark | FleetBenchmark;

/** Whether a measurement keeps its bound. */
export function keepsBound({ value, atMost, below }: Measurement): boolean {
  return (atMost === undefined || value <= atMost) && (below === undefined || value < below);
}
