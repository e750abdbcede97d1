// The chart as newcomers install it, by Helm itself: the path of the guide, what the chart collides with, and what people
// do between two upgrades. Helm 4 by default; HELM=/path/to/helm runs the same with another one, such as Helm 3.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { stringify } from "yaml";
import { agentProcess } from "../../local/cluster/agent-process.ts";
import { clusterClient } from "../../local/cluster/client.ts";
import { startCluster } from "../../local/cluster/cluster.ts";
import { addSystemNode } from "../../local/cluster/nodes.ts";
import type { LocalCluster } from "../../local/cluster/options.ts";
import { kubectl } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";

const execute = promisify(execFile);
const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const chart = fromRoot("charts/llama-operator");
/** The guides' command line. */
const guideFlags = ["--namespace", "llama-operator", "--create-namespace", "--take-ownership"];

let cluster: LocalCluster;
let scratch: string;
/** What the pods print. */
let logs: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "llama-operator-helm-"));
  logs = join(scratch, "logs");
  cluster = await startCluster({
    name: "helm",
    stateDir: await mkdtemp(join(tmpdir(), "llama-operator-test-")),
    processes: agentProcess("--kubelet-speedup=10", `--log-dir=${logs}`),
  });
  await using connection = await clusterClient(cluster.kubeconfigPath);
  await addSystemNode(connection.client, "gke", cluster);
});

afterAll(async () => {
  await cluster.stop();
  await rm(scratch, { recursive: true });
});

async function helm(...args: readonly string[]): Promise<string> {
  const program = process.env["HELM"] ?? inject("pulumiPrograms").helm;
  const env = {
    PATH: process.env["PATH"],
    HOME: scratch,
    KUBECONFIG: cluster.kubeconfigPath,
  };
  return (await execute(program, [...args], { env })).stdout;
}

const run = async (...args: readonly string[]) => kubectl(cluster, args);

async function deploymentsOf(namespace: string): Promise<string> {
  const columns = "custom-columns=:metadata.name,:spec.replicas,:status.availableReplicas";
  return (await run("-n", namespace, "get", "deployments", "--no-headers", "-o", columns)).trim();
}

async function leaderIn(namespace: string): Promise<string> {
  const lease = ["get", "leases", "llama-operator", "--ignore-not-found"];
  return (await run("-n", namespace, ...lease, "-o", "jsonpath={.spec.holderIdentity}")).trim();
}

describe.sequential("Helm", () => {
  test("installs the chart without a value, after the kinds were applied by kubectl", async () => {
    const { stdout: kinds } = await execute(process.execPath, [fromRoot("src/cli/main.ts"), "crds"]);
    await kubectl(cluster, ["apply", "--server-side", "--field-manager=helm", "-f", "-"], kinds);
    const said = await helm("install", "llama-operator", chart, ...guideFlags, "--wait", "--timeout=60s");
    expect(said).toContain("No image is published yet");
    expect(await deploymentsOf("llama-operator")).toMatch(/^llama-operator +1 +1$/);
    await eventually("it leads", async () => (await leaderIn("llama-operator")) || undefined);
  });

  test("upgrades what kubectl has scaled, and kinds that kubectl has applied", async () => {
    const newer = join(scratch, "newer");
    await cp(chart, newer, { recursive: true });
    const kind = join(newer, "templates/crds/gpupools.yaml");
    await writeFile(kind, (await readFile(kind, "utf8")).replace(/description: .*/, "description: Newer."));
    await run("-n", "llama-operator", "scale", "deployment", "llama-operator", "--replicas=2");
    await helm("upgrade", "llama-operator", newer, "--namespace=llama-operator", "--wait", "--timeout=60s");
    expect(await deploymentsOf("llama-operator")).toMatch(/^llama-operator +2 +2$/);
    expect(await run("get", "crd", "gpupools.llama-operator.dev", "-o", "yaml")).toContain("Newer.");
  });

  test("may install a second release, whose operator stands by until the first has gone", async () => {
    const noKinds = ["--set=crds.install=false", "--wait", "--timeout=60s"];
    await helm("install", "other", chart, "--namespace=other", "--create-namespace", ...noKinds);
    await eventually("it says why it does nothing", async () => {
      const files = (await readdir(logs)).filter((name) => name.includes("other-llama-operator"));
      const texts = await Promise.all(files.map((name) => readFile(join(logs, name), "utf8")));
      return texts.some((text) => text.includes("another installation leads")) || undefined;
    });
    expect(await leaderIn("other")).toBe("");
    await helm("uninstall", "llama-operator", "--namespace=llama-operator", "--wait");
    await eventually("it leads", async () => (await leaderIn("other")) || undefined);
    await helm("uninstall", "other", "--namespace=other", "--wait");
  });

  test("installs it anew under another name, over the kinds that were kept", async () => {
    await helm("install", "llama", chart, ...guideFlags, "--wait", "--timeout=60s");
    expect(await deploymentsOf("llama-operator")).toMatch(/^llama-llama-operator +1 +1$/);
  });

  test("renders it as a part of another chart, on condition, under names that say whose they are", async () => {
    const parent = join(scratch, "platform");
    await cp(chart, join(parent, "charts/llama-operator"), { recursive: true });
    const dependencies = [{ name: "llama-operator", version: "0.x.x", condition: "llama-operator.enabled" }];
    const about = { apiVersion: "v2", name: "platform", version: "0.1.0", dependencies };
    await writeFile(join(parent, "Chart.yaml"), stringify(about));
    await writeFile(join(parent, "values.yaml"), stringify({ "llama-operator": { enabled: true } }));
    const render = async (...args: readonly string[]) =>
      helm("template", "platform", parent, "--kube-version=1.35.0", ...args);
    const rendered = await render();
    expect(rendered).toContain("kind: Deployment\nmetadata:\n  name: platform-llama-operator\n");
    expect(rendered).not.toMatch(/^ {2}name: platform$/m);
    expect((await render("--set=llama-operator.enabled=false")).trim()).toBe("");
  });
});
