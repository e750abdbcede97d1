// `npm run bench`: measures the operator on the local cluster and prints one table. Not a test: what is measured here
// depends on the machine, and what must hold on every machine is tested by `npm test`.
import { parseArgs } from "node:util";
import { keepsBound, type Bench, type Benchmark, type Measurement, type Sizes } from "./benchmark.ts";
import { gpusPerNode, startBenchCluster } from "./harness/cluster.ts";
import { growFleet, makeFleet } from "./harness/fleet.ts";
import { create } from "./cases/create.ts";
import { failover } from "./cases/failover.ts";
import { memory } from "./cases/memory.ts";
import { noop } from "./cases/noop.ts";
import { repair } from "./cases/repair.ts";
import { rest } from "./cases/rest.ts";
import { restart } from "./cases/restart.ts";
import { describeMachine, table } from "./report.ts";

const benchmarks: readonly Benchmark[] = [create, restart, noop, rest, repair, failover, memory];

const full: Sizes = {
  deployments: 1000,
  podsPerDeployment: 10,
  runs: 5,
  failovers: 3,
  restMinutes: 35,
  passes: 10,
  lease: { leaseDuration: 15, renewDeadline: 10, retryPeriod: 2 },
};

/** Shows in two minutes that every benchmark works; its times mean nothing. */
const smoke: Sizes = {
  deployments: 20,
  podsPerDeployment: 2,
  runs: 1,
  failovers: 1,
  restMinutes: 6,
  passes: 2,
  lease: { leaseDuration: 3, renewDeadline: 2, retryPeriod: 1 },
};

const usage = `Measures the operator on a local cluster and prints a table.

npm run bench -- [options]
  --only NAMES        only these, separated by commas: ${benchmarks.map(({ name }) => name).join(", ")}
  --deployments N     LlamaDeployments (default ${full.deployments})
  --pods N            pods of each LlamaDeployment in memory (default ${full.podsPerDeployment})
  --runs N            repetitions, of which the median counts (default ${full.runs})
  --smoke             few and small: shows that all works; its times mean nothing
  --profile FOLDER    a CPU profile of each operator; slows it down
  --json              the measurements as JSON instead of the table
`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    deployments: { type: "string" },
    pods: { type: "string" },
    runs: { type: "string" },
    smoke: { type: "boolean", default: false },
    profile: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  process.stdout.write(usage);
} else {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function main(): Promise<void> {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interrupted.abort(new Error(`${name}: stopped`)));
  }
  const base = values.smoke ? smoke : full;
  const startedMs = performance.now();
  const bench: Bench = {
    sizes: {
      ...base,
      deployments: count("deployments", base.deployments),
      podsPerDeployment: count("pods", base.podsPerDeployment),
      runs: count("runs", base.runs),
    },
    signal: interrupted.signal,
    profileFolder: values.profile,
    say: (text) => {
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      process.stderr.write(`${String(seconds).padStart(5)} s  ${text}\n`);
    },
  };
  const chosen = choose();
  const measurements: Measurement[] = [];
  let kubernetes = "";
  for (const benchmark of chosen.filter(({ over }) => over === "empty")) {
    if (benchmark.over !== "empty") continue;
    await using cluster = await startBenchCluster(bench, 0);
    kubernetes = cluster.version;
    bench.say(benchmark.name);
    measurements.push(...(await benchmark.run(bench, cluster)));
  }
  const overFleet = chosen.filter((benchmark) => benchmark.over !== "empty");
  if (overFleet.length > 0) {
    const { deployments, podsPerDeployment } = bench.sizes;
    const nodes = Math.ceil((deployments * podsPerDeployment) / gpusPerNode);
    await using cluster = await startBenchCluster(bench, nodes);
    kubernetes = cluster.version;
    let fleet = await makeFleet(bench, cluster);
    for (const benchmark of overFleet) {
      if (benchmark.over === "many pods") fleet = await growFleet(bench, cluster, fleet);
      bench.say(benchmark.name);
      measurements.push(...(await benchmark.run(bench, cluster, fleet)));
    }
  }
  const machine = describeMachine(kubernetes, new Date());
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ machine, sizes: bench.sizes, measurements }, null, 2)}\n`
      : `${table(machine, measurements)}\n`,
  );
  if (!measurements.every(keepsBound)) process.exitCode = 1;
}

function choose(): readonly Benchmark[] {
  if (values.only === undefined) return benchmarks;
  const names = values.only.split(",");
  const unknown = names.filter((name) => benchmarks.every((benchmark) => benchmark.name !== name));
  if (unknown.length > 0) throw new Error(`no benchmark named ${unknown.join(", ")}\n${usage}`);
  return benchmarks.filter(({ name }) => names.includes(name));
}

function count(option: "deployments" | "pods" | "runs", byDefault: number): number {
  const text = values[option];
  if (text === undefined) return byDefault;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${option} ${text}: must be a whole number`);
  return number;
}
