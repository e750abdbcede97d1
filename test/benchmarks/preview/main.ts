// `npm run bench:preview`: how long `pulumi preview` of each example stack takes, both projects, against the preview of a
// program that does nothing, which is the least that CLI, engine and Node take. Nothing is on a network: the clouds'
// providers are the tests' stand-ins, so what a real cloud takes to answer comes on top.
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stacksFolder } from "../../../infra/config/stack-file.ts";
import { pulumiEngine, type PulumiEngine } from "../../../infra/testing/pulumi.ts";
import { buildPulumi } from "../../../local/cluster/build/pulumi.ts";
import { table } from "../../../src/cli/output.ts";
import { median } from "../statistics.ts";

const project = (name: string) => fileURLToPath(new URL(`../../../infra/${name}`, import.meta.url));

/** Stacks whose previews need no kubeconfig of a cluster that is there. */
const clouds = /^(?:gke|eks|aks)-/;

async function previewSeconds(engine: PulumiEngine, projectDir: string, stack: string): Promise<number> {
  const startedMs = performance.now();
  const { exitCode, output } = await engine.preview(projectDir, stack);
  if (exitCode !== 0) throw new Error(`the preview of ${projectDir} for ${stack} failed:\n${output}`);
  return (performance.now() - startedMs) / 1000;
}

/** Median of so many runs after one that fills caches and makes the stack. */
async function medianSeconds(runs: number, run: () => Promise<number>): Promise<number> {
  await run();
  const seconds: number[] = [];
  for (let index = 0; index < runs; index += 1) seconds.push(await run());
  return median(seconds);
}

async function emptyProject(folder: string): Promise<string> {
  const empty = join(folder, "empty");
  await mkdir(empty);
  await writeFile(join(empty, "Pulumi.yaml"), "name: empty\nruntime: nodejs\nmain: index.mjs\n");
  await writeFile(join(empty, "index.mjs"), "export {};\n");
  return empty;
}

/** What the clouds' stand-ins would answer with as the address of a made cluster. A preview makes none, and asks none. */
async function kubeconfigOfNobody(folder: string): Promise<string> {
  const path = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "nobody",
    contexts: [{ name: "nobody", context: { cluster: "nobody", user: "nobody" } }],
    clusters: [
      { name: "nobody", cluster: { server: "https://192.0.2.1:6443", "certificate-authority-data": "" } },
    ],
    users: [{ name: "nobody", user: { token: "none" } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

const { values } = parseArgs({ options: { runs: { type: "string", default: "5" } } });
const runs = Number(values.runs);
const programs = await buildPulumi({});
const homeDir = await mkdtemp(join(tmpdir(), "llama-operator-preview-"));
try {
  const kubeconfigPath = await kubeconfigOfNobody(homeDir);
  const engine = await pulumiEngine({ programs, homeDir, clouds: { kubeconfigPath } });
  const empty = await emptyProject(homeDir);
  const floor = await medianSeconds(runs, async () => previewSeconds(engine, empty, "floor"));
  const rows = [["STACK", "PLATFORM", "SERVING"]];
  const stacks = (await readdir(stacksFolder)).map((file) => file.replace(/\.yaml$/, ""));
  for (const stack of stacks.filter((each) => clouds.test(each)).toSorted()) {
    const of = async (name: string) =>
      medianSeconds(runs, async () => previewSeconds(engine, project(name), stack));
    rows.push([stack, `${(await of("platform")).toFixed(1)} s`, `${(await of("serving")).toFixed(1)} s`]);
  }
  rows.push(["a program that does nothing", `${floor.toFixed(1)} s`, ""]);
  process.stdout.write(table(rows));
} finally {
  await rm(homeDir, { recursive: true, force: true });
}
