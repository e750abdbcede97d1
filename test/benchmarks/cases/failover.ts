// What happens to the work when the leader goes, in each of the ways in which it can: killed, told to stop, or paused
// for longer than its lease and then continued. LlamaDeployments are made all the while, so that there is always
// something to write; the audit log says who wrote what and when.
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, FleetBenchmark, LeaseTimes, Measurement } from "../benchmark.ts";
import { isLease, isWrite, tally, type AuditEntry } from "../harness/audit-log.ts";
import type { BenchCluster } from "../harness/cluster.ts";
import { startOperator } from "../harness/fleet.ts";
import {
  createNamespace,
  deleteNamespace,
  deploymentType,
  isNamespaceGone,
  manifest,
  nameOf,
} from "../harness/load.ts";
import type { OperatorProcess } from "../harness/operator-process.ts";
import { largest } from "../statistics.ts";

const benchmark = "failover";

/** The operator's own bound on one request: src/kube-runtime/connection/http/http-client.ts. */
const requestTimeoutMs = 15_000;

/** Between two LlamaDeployments that are made. */
const betweenMs = 100;

type Ending = "killed" | "told to stop" | "paused";

interface Failover {
  /** From the signal to the first write of the new leader that is no Lease. */
  readonly takeoverMs: number;
  /** Writes of the old leader that the API server received after the new one took the lease. */
  readonly lateWrites: readonly AuditEntry[];
  /** Requests of the old leader received later than one request timeout after that. */
  readonly lateRequests: readonly AuditEntry[];
}

export const failover: FleetBenchmark = {
  name: benchmark,
  over: "fleet",
  async run(bench, cluster, fleet): Promise<readonly Measurement[]> {
    const { failovers, lease } = bench.sizes;
    const endings: readonly Ending[] = ["killed", "told to stop", "paused"];
    const measured: Record<Ending, Failover[]> = { killed: [], "told to stop": [], paused: [] };
    for (const ending of endings) {
      for (let run = 1; run <= failovers; run += 1) {
        const result = await loseLeader(bench, cluster, ending);
        measured[ending].push(result);
        bench.say(`  ${ending}: first write of the next leader after ${Math.round(result.takeoverMs)} ms`);
      }
    }
    const worst = (ending: Ending) => largest(measured[ending].map(({ takeoverMs }) => takeoverMs)) / 1000;
    const all = Object.values(measured).flat();
    const late = all.flatMap(({ lateWrites }) => lateWrites);
    const after = all.flatMap(({ lateRequests }) => lateRequests);
    const flags = `lease ${lease.leaseDuration} s, renew deadline ${lease.renewDeadline} s, retry ${lease.retryPeriod} s`;
    return [
      {
        benchmark,
        what: "killed leader to first write of the standby",
        value: worst("killed"),
        unit: "s",
        atMost: lease.leaseDuration + 2,
        detail: `longest of ${failovers}; ${flags}; over ${fleet.size} LlamaDeployments`,
      },
      {
        benchmark,
        what: "stopped leader to first write of the standby",
        value: worst("told to stop"),
        unit: "s",
        below: 3,
        detail: `longest of ${failovers}; SIGTERM`,
      },
      {
        benchmark,
        what: "paused leader to first write of the standby",
        value: worst("paused"),
        unit: "s",
        atMost: lease.leaseDuration + 2,
        detail: `longest of ${failovers}; SIGSTOP, and SIGCONT after the takeover`,
      },
      {
        benchmark,
        what: "writes of the old leader after the takeover",
        value: late.length,
        unit: "requests",
        atMost: 0,
        detail: `audit log, all ${all.length} takeovers${late.length === 0 ? "" : `: ${tally(late)}`}`,
      },
      {
        benchmark,
        what: "its requests later than one request timeout",
        value: after.length,
        unit: "requests",
        atMost: 0,
        detail: `${requestTimeoutMs / 1000} s after the takeover${after.length === 0 ? "" : `: ${tally(after)}`}`,
      },
    ];
  },
};

let serial = 0;

async function loseLeader(bench: Bench, cluster: BenchCluster, ending: Ending): Promise<Failover> {
  const { signal, sizes } = bench;
  const { client, audit } = cluster;
  serial += 1;
  const namespace = `failover-${serial}`;
  await createNamespace(client, namespace, signal);
  await using leader = startOperator(cluster, `first-${serial}`, sizes.lease);
  await leader.leading(signal);
  await using standby = startOperator(cluster, `second-${serial}`, sizes.lease);
  await standby.synced(signal);
  const [old, next] = [await leader.identity(signal), await standby.identity(signal)];

  const enough = new AbortController();
  const load = makeLoad(cluster, namespace, AbortSignal.any([signal, enough.signal]));
  // Some renewals of the lease go by, so that the leader is lost in the middle of one.
  await sleep(1000 * sizes.lease.retryPeriod * (1 + Math.random()), undefined, { signal });
  const mark = await audit.mark();
  const lostAtMs = Date.now();
  await end(leader, ending);
  const takeoverMs = (await firstWrite(bench, cluster, mark, next)) - lostAtMs;
  if (ending === "paused") await resume(leader, sizes.lease, lostAtMs, signal);
  await sleep(2000, undefined, { signal });
  enough.abort();
  await load;

  const { entries } = await audit.read(mark, "llama-operator/");
  const tookLease = entries.find(
    (entry) => entry.userAgent.includes(next) && isLease(entry) && isTaking(entry),
  );
  if (tookLease === undefined) throw new Error("the audit log does not show who took the lease");
  const ofOld = entries.filter((entry) => entry.userAgent.includes(old));
  await leader.stop();
  await standby.stop();
  await deleteNamespace(client, namespace, signal);
  while (!(await isNamespaceGone(client, namespace, signal))) await sleep(250, undefined, { signal });
  const takenAtMs = tookLease.completedAtMs;
  return {
    takeoverMs,
    lateWrites: ofOld.filter((entry) => isWrite(entry) && entry.receivedAtMs > takenAtMs),
    lateRequests: ofOld.filter((entry) => entry.receivedAtMs > takenAtMs + requestTimeoutMs),
  };
}

function isTaking({ verb, code }: AuditEntry): boolean {
  return (verb === "update" || verb === "create") && code < 300;
}

async function makeLoad({ client }: BenchCluster, namespace: string, signal: AbortSignal): Promise<void> {
  for (let index = 0; !signal.aborted; index += 1) {
    await client.create(deploymentType, manifest(namespace, nameOf(index), 0), {});
    await sleep(betweenMs, undefined, { signal }).catch(() => undefined);
  }
}

async function end(leader: OperatorProcess, ending: Ending): Promise<void> {
  switch (ending) {
    case "killed":
      leader.kill("SIGKILL");
      await leader.ended();
      break;
    case "told to stop":
      leader.kill("SIGTERM");
      break;
    case "paused":
      leader.kill("SIGSTOP");
      break;
  }
}

/** Continues the old leader with the standby at work, and gives it time to do harm. */
async function resume(
  leader: OperatorProcess,
  { leaseDuration }: LeaseTimes,
  pausedAtMs: number,
  signal: AbortSignal,
): Promise<void> {
  const pausedForMs = (leaseDuration + 5) * 1000;
  await sleep(Math.max(0, pausedAtMs + pausedForMs - Date.now()), undefined, { signal });
  leader.kill("SIGCONT");
  await Promise.race([leader.ended(), sleep(requestTimeoutMs, undefined, { signal })]);
}

/** When the API server received the first write of `identity` that is no Lease. */
async function firstWrite(
  { signal }: Bench,
  { audit }: BenchCluster,
  mark: number,
  identity: string,
): Promise<number> {
  for (let from = mark; ;) {
    await sleep(200, undefined, { signal });
    const { entries, next } = await audit.read(from, identity, { settled: false });
    from = next;
    const first = entries.find(isWrite);
    if (first !== undefined) return first.receivedAtMs;
  }
}
