// A fleet that nobody touches: nothing may be asked or written but the Lease, for longer than anything is remembered,
// and what somebody else changes is put back.
import { FastClock, FastKubeClient } from "../harness/fast-time.ts";
import type { Bench, FleetBenchmark, Measurement } from "../benchmark.ts";
import { isLease, isWrite, tally, type AuditEntry } from "../harness/audit-log.ts";
import type { BenchCluster } from "../harness/cluster.ts";
import { OperatorInProcess } from "../harness/operator-in-process.ts";
import { HttpKubeClient } from "../../../src/kube-runtime/connection/http/http-client.ts";
import { noMetrics } from "../../../src/kube-runtime/metrics.ts";

const benchmark = "rest";
const agent = "llama-benchmark-rest";

/** Simulated seconds in a second: a renew deadline of 10 s is half a second then, which a busy machine still keeps. */
const speed = 20;

export const rest: FleetBenchmark = {
  name: benchmark,
  over: "fleet",
  async run(bench, cluster, fleet): Promise<readonly Measurement[]> {
    const { restMinutes } = bench.sizes;
    const entries = await requestsAtRest(bench, cluster);
    const others = entries.filter((entry) => !isLease(entry) && entry.verb !== "watch");
    const watches = entries.filter(({ verb }) => verb === "watch").length;
    const leases = entries.filter(isLease).length;
    if (others.length > 0) bench.say(`  at rest: ${tally(others)}`);
    const how =
      `audit log over ${restMinutes} minutes, simulated at ${speed} times the speed by the clock that the operator ` +
      "is given";
    return [
      {
        benchmark,
        what: "writes but the Lease",
        value: others.filter(isWrite).length,
        unit: "requests",
        atMost: 0,
        detail: `${how}; ${fleet.size} LlamaDeployments, ${fleet.pods} pods`,
      },
      {
        benchmark,
        what: "reads but the Lease",
        value: others.filter((entry) => !isWrite(entry)).length,
        unit: "requests",
        atMost: 0,
        detail: `beside ${leases} requests for the Lease and ${watches} watches ended by the server and opened again`,
      },
    ];
  },
};

async function requestsAtRest(
  { sizes, signal, say }: Bench,
  { local, audit }: BenchCluster,
): Promise<readonly AuditEntry[]> {
  const clock = new FastClock(speed);
  await using operator = await OperatorInProcess.start({
    kubeconfig: local.kubeconfigPath,
    userAgent: agent,
    clock,
    registry: noMetrics,
    workers: 16,
    lease: true,
    // The lease's client neither retries nor waits: there is nothing to speed up.
    newClient: (connection, of) =>
      of.lane === "lease"
        ? new HttpKubeClient(connection, of)
        : new FastKubeClient(connection, of, speed, clock),
    cacheSyncTimeoutSeconds: 120 * speed,
  });
  await clock.sleep(60_000, signal);
  await operator.idle(signal);
  say(`  ${sizes.restMinutes} minutes at ${speed} times the speed`);
  const mark = await audit.mark();
  await clock.sleep(sizes.restMinutes * 60_000, signal);
  const { entries } = await audit.read(mark, agent);
  return entries;
}
