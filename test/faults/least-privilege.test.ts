// The operator as the chart lets it be: under exactly the chart's ClusterRole and the Role of its Lease, through
// everything it does. Nothing may be refused to it, and nothing may be granted that it does not use.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import type { LocalCluster } from "../../local/cluster/options.ts";
import { freePort } from "../../local/free-port.ts";
import { webhookConfiguration } from "../../local/webhook-configuration.ts";
import { AuditLog, type AuditEntry } from "../benchmarks/harness/audit-log.ts";
import { type ChartObject, renderChart } from "../support/chart/render.ts";
import { kubectl } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { Harness } from "./harness/harness.ts";
import { TestUser } from "./harness/test-user.ts";

const release = "llama-operator";
const releaseNamespace = "llama-operator-system";
const world = { namespace: "served", nodes: 3 };

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

type Granted = ChartObject & { readonly rules?: readonly Rule[] };

/** What the chart grants the operator: its account, its roles and their bindings. */
async function grants(): Promise<readonly Granted[]> {
  const values = { operator: { image: "none" }, rbac: { aggregateToUsers: false } };
  const objects = await renderChart<Granted>({ name: release, namespace: releaseNamespace, values });
  return objects.filter(({ kind }) => /^(?:ServiceAccount|(?:Cluster)?Role(?:Binding)?)$/.test(kind));
}

let harness: Harness;
let cluster: LocalCluster;
let rules: readonly Rule[];
let kubeconfig: string;

beforeAll(async () => {
  harness = await Harness.start("least-privilege", { audit: true });
  ({ cluster } = harness);
  await harness.make([world]);
  await kubectl(cluster, ["create", "namespace", releaseNamespace]);
  const granted = await grants();
  rules = granted.flatMap((object) => object.rules ?? []);
  await kubectl(cluster, ["apply", "-f", "-"], granted.map((each) => JSON.stringify(each)).join("\n---\n"));
  kubeconfig = await operatorKubeconfig();
}, 120_000);

afterAll(async () => harness[Symbol.asyncDispose]());

async function operatorKubeconfig(): Promise<string> {
  const token = await kubectl(cluster, ["create", "token", release, "-n", releaseNamespace]);
  const path = join(cluster.stateDir, "operator.kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "local", cluster: { server: cluster.server, "certificate-authority": cluster.caFile } },
    ],
    users: [{ name: release, user: { token: token.trim() } }],
    contexts: [{ name: "local", context: { cluster: "local", user: release, namespace: releaseNamespace } }],
    "current-context": "local",
  };
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}

const operatorMain = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

async function startOperator(name: string, webhookPort = 0): Promise<void> {
  const flags = [
    "--health-port=0",
    "--metrics-port=0",
    `--webhook-port=${webhookPort}`,
    "--webhook-host=127.0.0.1",
    "--log-level=debug",
  ];
  const command = [process.execPath, operatorMain, "run", `--kubeconfig=${kubeconfig}`, ...flags];
  await cluster.startProcess({ name, command, environment: { POD_NAME: name } });
}

async function leaseHolder(): Promise<string> {
  const args = ["get", "lease", release, "-n", releaseNamespace, "-o=jsonpath={.spec.holderIdentity}"];
  return kubectl(cluster, args).catch(() => "");
}

async function untilLeads(name: string): Promise<void> {
  await eventually(`${name} leads`, async () => {
    return (await leaseHolder()).startsWith(`${name}_`) ? true : undefined;
  });
}

/** A standby whose caches are still filling takes a lease that is given back without ever having watched it. */
async function untilStandsBy(name: string): Promise<void> {
  await eventually(`${name} waits for the lease`, async () => {
    const log = await readFile(join(cluster.stateDir, "logs", `${name}.log`), "utf8");
    return log.includes("waiting for the lease") || undefined;
  });
  // It reads the lease before it watches it; the audit log names a watch only once it has ended.
  await sleep(2000);
}

/** A permission as `verb resource.group`. */
function permission(verb: string, resource: string, group: string): string {
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}`;
}

/** The permissions that a request took: server-side apply that creates takes two. */
function permissionsOf({ verb, resource, subresource, code }: AuditEntry): readonly string[] {
  const [plural = "", ...group] = resource.split(".");
  const target = subresource === undefined ? plural : `${plural}/${subresource}`;
  const took = permission(verb, target, group.join("."));
  return verb === "patch" && code === 201 ? [took, permission("create", target, group.join("."))] : [took];
}

/** Granted for what no audit log shows. */
const unseen = [
  // Asked of the authorizer by the admission plugin OwnerReferencesPermissionEnforcement, where a cluster has it.
  "update llamadeployments/finalizers.llama-operator.dev",
];

test("the operator is refused nothing, and uses whatever it is granted", async () => {
  const { auditLogPath = "" } = cluster;
  const webhookPort = await freePort();
  const url = `https://127.0.0.1:${webhookPort}/validate`;
  await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(webhookConfiguration({ name: release, url })));
  await startOperator("first", webhookPort);
  await untilLeads("first");
  await startOperator("second");

  const user = new TestUser(harness, world);
  await user.create({ model: { name: "llama-3.1-8b-instruct" } });
  await user.ready();
  for (const tensor of [2, 4, 8]) {
    await user.change({ parallelism: { tensor } });
    await user.ready();
  }
  // The third revision that nothing uses any more expires; of three replicas those that go are marked; an event that comes
  // again is counted up.
  for (const replicas of [0, 3, 1, 0]) {
    await user.change({ replicas });
    await user.ready();
  }
  await kubectl(cluster, ["create", "serviceaccount", "own", "-n", world.namespace]);
  await user.change({ replicas: 1, podTemplate: { serviceAccountName: "own" } });
  await user.ready();
  const model = { name: "llama-3.1-405b-instruct" };
  await user.change({ model, parallelism: null, quantization: { weights: "bf16" } });
  await user.ready();
  await user.change({ quantization: { weights: "fp8" } });
  await user.ready();

  await untilStandsBy("second");
  await cluster.stopProcess("first");
  await untilLeads("second");
  await user.change({ replicas: 0 });
  await user.ready();
  // Of a group that gets no pods, events alone say why.
  await kubectl(cluster, ["create", "quota", "none", "--hard=pods=0", "-n", world.namespace]);
  await user.change({ replicas: 1, quantization: { weights: "bf16" } });
  const why = [
    "get",
    "llama",
    user.name,
    "-n",
    world.namespace,
    "-o",
    "jsonpath={.status.conditions[*].message}",
  ];
  await eventually("status says that the quota refuses the pods", async () => {
    return (await kubectl(cluster, why)).includes("exceeded quota: none") || undefined;
  });
  await kubectl(cluster, ["delete", "llama", user.name, "-n", world.namespace, "--timeout=30s"]);
  await sleep(500);
  await cluster.stopProcess("second");
  expect(await leaseHolder()).toBe("");

  const { entries } = await new AuditLog(auditLogPath).read(0, "llama-operator/");
  const refused = entries.filter(({ code }) => code === 401 || code === 403);
  expect(refused.map(({ verb, uri }) => `${verb} ${uri}`)).toEqual([]);
  const used = new Set([...entries.flatMap(permissionsOf), ...unseen]);
  const granted = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => permission(verb, resource, group))),
    ),
  );
  expect(granted.filter((each) => !used.has(each))).toEqual([]);
}, 120_000);
