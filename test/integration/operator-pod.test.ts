// The operator as its users install it: the chart, on a cluster where nothing else of it runs. Its pod is a process
// under the pod's own ServiceAccount, so that the chart's roles, Services and probes are what it lives by.
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { agentProcess } from "../../local/cluster/agent-process.ts";
import { clusterClient } from "../../local/cluster/client.ts";
import { startCluster } from "../../local/cluster/cluster.ts";
import { addNodes } from "../../local/cluster/nodes.ts";
import type { LocalCluster } from "../../local/cluster/options.ts";
import { chat } from "../../local/demo/chat.ts";
import { localChartValues } from "../../local/operator-image.ts";
import { renderChart } from "../support/chart/render.ts";
import { kubectl } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { machineShape } from "../support/machine-shape.ts";

const release = { name: "llama-operator", namespace: "llama-operator-system" };
const account = `system:serviceaccount:${release.namespace}:${release.name}`;
const deployment = `deployment/${release.name}`;

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await startCluster({
    name: "operator-pod",
    stateDir: await mkdtemp(join(tmpdir(), "llama-operator-test-")),
    audit: true,
    processes: agentProcess("--speedup=100", "--generation-speedup=20", "--kubelet-speedup=10"),
  });
  await using connection = await clusterClient(cluster.kubeconfigPath);
  await addNodes(connection.client, machineShape("a3-highgpu-8g"), 4, cluster);
  await run("create", "secret", "generic", "hf-token", "--from-literal=token=hf_made-up-for-the-test");
  await run("create", "namespace", release.namespace);
  await install();
});

afterAll(async () => cluster.stop());

const run = async (...args: readonly string[]) => kubectl(cluster, args);
/** In the release's namespace. */
const runThere = async (...args: readonly string[]) => run("-n", release.namespace, ...args);
async function install(): Promise<void> {
  const objects = await renderChart({ ...release, values: localChartValues });
  const manifests = objects.map((object) => JSON.stringify(object)).join("\n---\n");
  await kubectl(cluster, ["apply", "--server-side", "--force-conflicts", "-f", "-"], manifests);
  await available();
}

const available = async () => runThere("wait", "--for=condition=Available", deployment, "--timeout=60s");

function example(file: string): string {
  return fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
}

/** The operator's only pod. */
async function operatorPod(): Promise<string> {
  const name = await eventually("there is one pod of the operator", async () => {
    const names = (await runThere("get", "pods", "-o", "name")).trim().split("\n");
    return names.length === 1 && names[0] !== "" ? names[0] : undefined;
  });
  return name.replace("pod/", "");
}

async function restarted(pod: string, times: number): Promise<void> {
  const count = `jsonpath={.status.containerStatuses[0].restartCount}=${times}`;
  await runThere("wait", `pod/${pod}`, `--for=${count}`, "--timeout=60s");
}

/** Processes that run for a pod: a kubelet names their host after it. */
async function processesOf(pod: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.split("\0").includes(`HOSTNAME=${pod}`) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

async function onlyProcessOf(pod: string): Promise<number> {
  return eventually(`${pod} is one process`, async () => {
    const [pid, ...more] = await processesOf(pod);
    return more.length === 0 ? pid : undefined;
  });
}

async function noProcessOf(pod: string): Promise<void> {
  await eventually(`no process is left of ${pod}`, async () => {
    return (await processesOf(pod)).length === 0 ? true : undefined;
  });
}

/** Empty where nobody holds it: the operator gives it back when it stops. */
async function leaseHolder(): Promise<string> {
  return runThere("get", "lease", "llama-operator", "-o", "jsonpath={.spec.holderIdentity}");
}

async function leads(pod: string): Promise<void> {
  await eventually(`${pod} leads`, async () => {
    return (await leaseHolder()).startsWith(`${pod}_`) ? true : undefined;
  });
}

/** Its webhook lets everything pass where it cannot be reached. */
async function denied(): Promise<void> {
  const refused = example("llama-405b-bf16-one-node.yaml");
  const said = await eventually("the webhook is asked", async () => {
    const dryRun = run("apply", "--dry-run=server", "-f", refused);
    return dryRun.then(
      () => undefined,
      (error: Error) => error.message,
    );
  });
  expect(said).toContain('admission webhook "validate.llama-operator.dev" denied the request');
}

interface Request {
  readonly verb: string;
  readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

/** What the operator has asked of the API server, by the audit log. */
async function requests(): Promise<readonly Request[]> {
  const log = await readFile(cluster.auditLogPath ?? "", "utf8");
  const whole = log.slice(0, log.lastIndexOf("\n") + 1).split("\n");
  return whole
    .filter((line) => line.includes('"userAgent":"llama-operator/'))
    .map((line) => JSON.parse(line) as Request);
}

test("it serves the examples: a model is Ready and answers, and its replica holds the Lease", async () => {
  await run("apply", "-f", example("gpu-pool-h100.yaml"), "-f", example("llama-8b.yaml"));
  await run("wait", "--for=condition=Ready", "llama/llama-8b", "--timeout=60s");
  let text = "";
  await chat({
    proxyUrl: cluster.proxyUrl,
    endpoint: await run("get", "llama", "llama-8b", "-o", "jsonpath={.status.endpoint}"),
    prompt: "Who are you?",
    maxTokens: 8,
    signal: AbortSignal.timeout(20_000),
    onText: (piece) => {
      text += piece;
    },
  });
  expect(text).not.toBe("");
  await leads(await operatorPod());
});

test("what cannot run is denied by its webhook, which the API server reaches by the chart's Service", async () => {
  await denied();
});

test("it comes with the token of its ServiceAccount, bound to its pod, and is refused nothing", async () => {
  const all = await requests();
  expect(new Set(all.map(({ user }) => user.username))).toEqual(new Set([account]));
  const pods = all.flatMap(({ user }) => user.extra?.["authentication.kubernetes.io/pod-name"] ?? []);
  expect(new Set(pods)).toEqual(new Set([await operatorPod()]));
  expect(all.filter(({ responseStatus }) => responseStatus?.code === 403)).toEqual([]);
});

interface ClusterRole {
  readonly rules: readonly { readonly resources: readonly string[] }[];
}

test("what a rule of the chart's ClusterRole allows is forbidden to it without the rule, and done once it is back", async () => {
  const role = JSON.parse(await run("get", "clusterrole", release.name, "-o", "json")) as ClusterRole;
  const setRules = async (rules: ClusterRole["rules"]) =>
    run("patch", "clusterrole", release.name, "--type=merge", "-p", JSON.stringify({ rules }));
  await setRules(role.rules.filter(({ resources }) => !resources.includes("deployments")));
  await eventually("the API server knows the new rules", async () => {
    const allowed = run("auth", "can-i", "create", "deployments.apps", `--as=${account}`);
    return allowed.then(
      () => undefined,
      () => true,
    );
  });
  const spec = { parallelism: { tensor: 2 } };
  await run("patch", "llama", "llama-8b", "--type=merge", "-p", JSON.stringify({ spec }));
  const forbidden = await eventually("something is forbidden to it", async () => {
    return (await requests()).find(({ responseStatus }) => responseStatus?.code === 403);
  });
  expect(forbidden.user.username).toBe(account);
  expect(["deployments", "controllerrevisions"]).toContain(forbidden.objectRef?.resource);
  await setRules(role.rules);
  await run("wait", "--for=jsonpath={.status.plan.tensor}=2", "llama/llama-8b", "--timeout=60s");
  await run("wait", "--for=condition=Ready", "llama/llama-8b", "--timeout=60s");
});

test("a process that dies is started again in its pod, with growing delays", async () => {
  const pod = await operatorPod();
  process.kill(await onlyProcessOf(pod), "SIGKILL");
  await restarted(pod, 1);
  const waiting = "jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff";
  const backsOff = runThere("wait", `pod/${pod}`, `--for=${waiting}`, "--timeout=60s");
  process.kill(await onlyProcessOf(pod), "SIGKILL");
  await backsOff;
  await restarted(pod, 2);
  await available();
  expect(await operatorPod()).toBe(pod);
});

test("an agent that is killed takes the process along, the next one starts it again, and it leads when its Lease is up", async () => {
  const pod = await operatorPod();
  const before = await onlyProcessOf(pod);
  const holder = await leaseHolder();
  const agent = (await cluster.status()).processes.find(({ name }) => name === "agent");
  // A process that is stopped hears of no end: the kernel ends it, as a stopped member of an orphaned group.
  process.kill(before, "SIGSTOP");
  process.kill(agent?.pid ?? 0, "SIGKILL");
  await eventually("the process is gone", async () => {
    return (await processesOf(pod)).includes(before) ? undefined : true;
  });
  await restarted(pod, 3);
  await onlyProcessOf(pod);
  const again = async () => {
    const now = await leaseHolder();
    return now !== holder && now.startsWith(`${pod}_`) ? true : undefined;
  };
  await eventually(`${pod} leads again`, again, 90);
});

test("a pod that is evicted ends in its own way, and its successor leads", async () => {
  const pod = await operatorPod();
  const eviction = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name: pod, namespace: release.namespace },
  };
  const path = `/api/v1/namespaces/${release.namespace}/pods/${pod}/eviction`;
  await kubectl(cluster, ["create", "--raw", path, "-f", "-"], JSON.stringify(eviction));
  await runThere("wait", "--for=delete", `pod/${pod}`, "--timeout=60s");
  expect(await processesOf(pod)).toEqual([]);
  await available();
  await leads(await operatorPod());
});

test("a rollout replaces it, and the webhook goes on denying", async () => {
  const pod = await operatorPod();
  await runThere("rollout", "restart", deployment);
  await runThere("rollout", "status", deployment, "--timeout=60s");
  await runThere("wait", "--for=delete", `pod/${pod}`, "--timeout=60s");
  expect(await processesOf(pod)).toEqual([]);
  await leads(await operatorPod());
  await denied();
});

test("with its Deployment goes its process, and with that the tokens and the Lease", async () => {
  const pod = await operatorPod();
  await onlyProcessOf(pod);
  await runThere("delete", deployment, "--cascade=foreground", "--timeout=60s");
  await noProcessOf(pod);
  expect(await leaseHolder()).toBe("");
  expect(await readdir(join(cluster.stateDir, "volumes"))).toEqual([]);
});

test("it ends with its cluster", async () => {
  await install();
  const pod = await operatorPod();
  await onlyProcessOf(pod);
  await cluster.stop();
  await noProcessOf(pod);
  expect(existsSync(cluster.stateDir)).toBe(false);
});
