// LlamaDeployments created all at once: how long until everything that the operator makes of them exists, against a bare
// loop that sends the identical requests over as many connections.
//
// Replicas are zero. Every object of a LlamaDeployment is made all the same, and the rest of the control plane has next
// to nothing to do for it; with pods, scheduler, controller manager and simulated kubelets would take most of the
// machine in both cases, and the ratio would tell less of the operator.
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, EmptyBenchmark, Measurement } from "../benchmark.ts";
import { recordingOf, startBareLoop, type Recording } from "../harness/bare-loop.ts";
import type { AuditEntry, AuditMark } from "../harness/audit-log.ts";
import { isWrite } from "../harness/audit-log.ts";
import type { BenchCluster } from "../harness/cluster.ts";
import { benchmarkAgent } from "../harness/cluster.ts";
import {
  connections,
  createAll,
  createNamespace,
  deleteNamespace,
  deploymentType,
  isNamespaceGone,
  manifest,
  nameOf,
} from "../harness/load.ts";
import { OperatorProcess } from "../harness/operator-process.ts";
import { startRecordingProxy } from "../harness/recording-proxy.ts";
import { median } from "../statistics.ts";

const benchmark = "create";

/** What the operator makes of each LlamaDeployment, and the status it writes. */
const children = [
  "serviceaccounts",
  "services",
  "poddisruptionbudgets.policy",
  "controllerrevisions.apps",
  "deployments.apps",
];
const statusOf = "llamadeployments.llama-operator.dev/status";

const bareAgent = "llama-benchmark-bare-loop";

export const create: EmptyBenchmark = {
  name: benchmark,
  over: "empty",
  async run(bench, cluster): Promise<readonly Measurement[]> {
    const { deployments: size, runs } = bench.sizes;
    const recording = await record(bench, cluster);
    const operator: Run[] = [];
    const bare: Run[] = [];
    for (let run = 1; run <= runs; run += 1) {
      operator.push(await withOperator(bench, cluster, `operator-${run}`));
      bare.push(await withBareLoop(bench, cluster, `bareloop-${run}`, recording));
      bench.say(
        `  run ${run}: operator ${Math.round(operator.at(-1)?.tookMs ?? 0)} ms, ` +
          `bare loop ${Math.round(bare.at(-1)?.tookMs ?? 0)} ms`,
      );
    }
    const seconds = (series: readonly Run[]) => median(series.map(({ tookMs }) => tookMs)) / 1000;
    const requests = (series: readonly Run[]) => median(series.map(({ writes }) => writes));
    return [
      {
        benchmark,
        what: "operator / bare loop",
        value: seconds(operator) / seconds(bare),
        unit: "times",
        atMost: 1.35,
        detail: `medians of ${runs} runs each, taken in turns, ${connections} connections, replicas 0`,
      },
      {
        benchmark,
        what: `operator: ${size} created to all their objects there`,
        value: seconds(operator),
        unit: "s",
        detail: `first LlamaDeployment received to last of ${children.length} children and a status each; ${requests(operator)} writes`,
      },
      {
        benchmark,
        what: "operator: processor time for each",
        value: median(operator.map(({ processorMs = 0 }) => processorMs)) / size,
        unit: "ms",
        detail:
          "first LlamaDeployment sent to all of it seen in the audit log; other work beside it hardly changes it",
      },
      {
        benchmark,
        what: "bare loop: the same",
        value: seconds(bare),
        unit: "s",
        detail: `${requests(bare)} writes, as recorded from the operator`,
      },
    ];
  },
};

interface Run {
  readonly tookMs: number;
  /** Writes of operator or bare loop until then. */
  readonly writes: number;
  /** That the operator took from the first LlamaDeployment on. */
  readonly processorMs?: number;
}

/** One run through the recording proxy, whose time does not count. */
async function record(bench: Bench, cluster: BenchCluster): Promise<Recording> {
  const namespace = "recorded";
  bench.say("  recording the operator's requests");
  await using proxy = await startRecordingProxy(cluster.local);
  let recording: Recording | undefined;
  await withOperator(bench, cluster, namespace, proxy.kubeconfig, async () => {
    const { items } = await cluster.client.list(deploymentType, { namespace, signal: bench.signal });
    const uids = Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.uid]));
    recording = recordingOf(namespace, proxy.recorded, uids);
  });
  if (recording === undefined) throw new Error("nothing was recorded");
  return recording;
}

async function withOperator(
  bench: Bench,
  cluster: BenchCluster,
  namespace: string,
  kubeconfig = cluster.local.kubeconfigPath,
  whileThere: () => Promise<void> = async () => undefined,
): Promise<Run> {
  const { signal } = bench;
  await createNamespace(cluster.client, namespace, signal);
  const mark = await cluster.audit.mark();
  await using operator = OperatorProcess.start({
    kubeconfig,
    name: namespace,
    profileFolder: cluster.profileFolder,
  });
  await operator.leading(signal);
  const processorSeconds = await operator.processorSeconds();
  await createAll(cluster.client, manifests(bench, namespace), signal);
  const run = await completed(bench, cluster, mark, namespace, await operator.identity(signal));
  const processorMs = ((await operator.processorSeconds()) - processorSeconds) * 1000;
  await whileThere();
  await operator.stop();
  await clear(bench, cluster, namespace);
  return { ...run, processorMs };
}

async function withBareLoop(
  bench: Bench,
  cluster: BenchCluster,
  namespace: string,
  recording: Recording,
): Promise<Run> {
  const { signal } = bench;
  const userAgent = bareAgent;
  await createNamespace(cluster.client, namespace, signal);
  const mark = await cluster.audit.mark();
  await using loop = await startBareLoop({
    cluster: cluster.local,
    recording,
    namespace,
    connections,
    userAgent,
  });
  await createAll(cluster.client, manifests(bench, namespace), signal, ({ metadata }) =>
    loop.created(metadata.name, metadata.uid),
  );
  const run = await Promise.race([completed(bench, cluster, mark, namespace, userAgent), loop.failed]);
  await clear(bench, cluster, namespace);
  return run;
}

function manifests({ sizes }: Bench, namespace: string) {
  return Array.from({ length: sizes.deployments }, (_, index) => manifest(namespace, nameOf(index), 0));
}

/** Reads the audit log until it shows every child and every status. */
async function completed(
  { sizes, signal }: Bench,
  { audit }: BenchCluster,
  mark: AuditMark,
  namespace: string,
  agent: string,
): Promise<Run> {
  const wanted = [...children, statusOf];
  const seen = new Map(wanted.map((what) => [what, new Set<string>()]));
  const writes: AuditEntry[] = [];
  let from = mark;
  let endMs = 0;
  const isComplete = () => wanted.every((what) => seen.get(what)?.size === sizes.deployments);
  while (!isComplete()) {
    await sleep(250, undefined, { signal });
    const { entries, next } = await audit.read(from, agent, { settled: false });
    from = next;
    for (const entry of entries.filter((each) => isWrite(each) && each.namespace === namespace)) {
      writes.push(entry);
      if (entry.code >= 300) continue;
      const what =
        entry.subresource === undefined ? entry.resource : `${entry.resource}/${entry.subresource}`;
      const names = seen.get(what);
      if (names === undefined || names.has(entry.name ?? "")) continue;
      names.add(entry.name ?? "");
      endMs = Math.max(endMs, entry.completedAtMs);
    }
  }
  const { entries } = await audit.read(mark, benchmarkAgent);
  const creations = entries.filter(
    (entry) =>
      entry.verb === "create" &&
      entry.resource.startsWith("llamadeployments.") &&
      entry.namespace === namespace,
  );
  const startMs = Math.min(...creations.map(({ receivedAtMs }) => receivedAtMs));
  return {
    tookMs: endMs - startMs,
    writes: writes.filter(({ completedAtMs }) => completedAtMs <= endMs).length,
  };
}

/** Takes everything away again, so that each run finds the cluster as the first one did. */
async function clear({ signal }: Bench, { client }: BenchCluster, namespace: string): Promise<void> {
  await deleteNamespace(client, namespace, signal);
  while (!(await isNamespaceGone(client, namespace, signal))) await sleep(250, undefined, { signal });
  await sleep(1000, undefined, { signal });
}
