// The command line through its front door: arguments and files in, text and exit code out.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { exitCodes } from "./exit-codes.ts";
import { runCommandLine as llamaOperator, type Given } from "./testing/run-command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "llama-operator-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const llama = (name: string, spec: string) =>
  `apiVersion: llama-operator.dev/v1alpha1\nkind: LlamaDeployment\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const fits = llama("llama-8b", "{ model: { name: llama-3.1-8b-instruct } }");
const tooLarge = llama(
  "llama-405b",
  "{ model: { name: llama-3.1-405b-instruct }, quantization: { weights: bf16 }, parallelism: { pipeline: 1 } }",
);

test("without arguments it shows its help as a wrong use", async () => {
  const { code, err } = await llamaOperator([]);
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain("Usage: llama-operator");
});

test("every command has help with a description, and help is no error", async () => {
  for (const command of [
    ["run"],
    ["plan"],
    ["inspect"],
    ["crds"],
    ["pools", "discover"],
    ["overheads"],
    ["version"],
    ["completion"],
  ]) {
    const { code, out } = await llamaOperator([...command, "--help"]);
    expect(code).toBe(exitCodes.ok);
    expect(out).toContain(`Usage: llama-operator ${command.join(" ")}`);
  }
});

test("an unknown flag is refused with the way to the help", async () => {
  const { code, err, out } = await llamaOperator(["plan", "-f", "-", "--fast"]);
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain("unknown option '--fast'");
  expect(err).toContain('See "llama-operator plan --help".');
  expect(out).toBe("");
});

test("plan reads standard input and says which pools it assumed", async () => {
  const { code, out } = await llamaOperator(["plan", "-f", "-"], { input: fits });
  expect(code).toBe(exitCodes.ok);
  expect(out).toMatch(/^Pools \(default\): 8 x nvidia-h100-80gb a node .* no cluster is configured\n/);
  expect(out).toContain("default/llama-8b: fits");
  expect(out).toContain("1 x H100 80GB on one node (tensor 1)");
});

test("plan refuses what cannot run with its own exit code and a patch that kubectl takes", async () => {
  const { code, out, err } = await llamaOperator(["plan", "-f", "-"], { input: `${fits}---\n${tooLarge}` });
  expect(code).toBe(exitCodes.refused);
  expect(out).toContain("default/llama-8b: fits");
  expect(out).toContain("default/llama-405b: refused (DoesNotFit)");
  expect(out).toContain(
    "kubectl patch llamadeployment llama-405b -n default --type merge --patch 'spec: {parallelism: {pipeline: 2}}'",
  );
  expect(err).toBe("error: cannot run as written: default/llama-405b\n");
});

test("plan -o json is one document with every result, for programs", async () => {
  const path = file("two.yaml", `${fits}---\n${tooLarge}`);
  const { out } = await llamaOperator(["plan", "-f", path, "-o", "json"]);
  const document = JSON.parse(out) as {
    readonly pools: { readonly from: string };
    readonly items: readonly { readonly source: string; readonly result: { readonly kind: string } }[];
  };
  expect(document.pools.from).toBe("default");
  expect(document.items.map(({ source, result }) => [source, result.kind])).toEqual([
    [`${path}, document 1`, "plan"],
    [`${path}, document 2`, "refusal"],
  ]);
});

test("plan takes pools from files, from the manifests themselves and from flags", async () => {
  const pool = `apiVersion: llama-operator.dev/v1alpha1\nkind: GpuPool\nmetadata: { name: mine }\nspec: { gpu: { product: nvidia-h200-141gb, perNode: 8 } }\n`;
  const pools = file("pools.yaml", pool);
  const named = await llamaOperator(["plan", "-f", "-", "--pools", pools], { input: fits });
  expect(named.out).toContain(`Pools (files): ${pools}`);
  expect(named.out).toContain("H200");
  const beside = await llamaOperator(["plan", "-f", "-"], { input: `${pool}---\n${fits}` });
  expect(beside.out).toContain("Pools (files): standard input, document 1");
  const flagged = await llamaOperator(["plan", "-f", "-", "--machine-shape", "p5.4xlarge"], { input: fits });
  expect(flagged.out).toContain("Pools (flags): 1 x nvidia-h100-80gb a node");
});

test.each([
  ["a file that is not there", ["nowhere.yaml"], "", "nowhere.yaml: no such file"],
  ["what is not YAML", ["-"], "a: [", "standard input: not YAML"],
  ["a document without a kind", ["-"], "a: 1", "apiVersion and kind are missing"],
  ["no LlamaDeployment", ["-"], "apiVersion: v1\nkind: Secret\n", "no LlamaDeployment in it"],
  [
    "an unknown field",
    ["-"],
    llama("llama-8b", "{ model: { name: llama-3.1-8b-instruct }, gpus: 2 }"),
    'standard input: spec.gpus: unknown field "spec.gpus"',
  ],
])("plan tries nothing for %s", async (_case, paths, input, message) => {
  const { code, err, out } = await llamaOperator(["plan", "-f", ...paths], { input });
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain(message);
  expect(out).toBe("");
});

test("a cluster that was named and does not answer is an error, not a reason to assume", async () => {
  const kubeconfig = file(
    "kubeconfig",
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "gone",
      clusters: [{ name: "gone", cluster: { server: "https://127.0.0.1:9" } }],
      contexts: [{ name: "gone", context: { cluster: "gone", user: "me" } }],
      users: [{ name: "me", user: { token: "none" } }],
    }),
  );
  const named = await llamaOperator(["plan", "-f", "-", "--kubeconfig", kubeconfig], { input: fits });
  expect(named.code).toBe(exitCodes.cluster);
  expect(named.err).toContain("cannot reach the API server");
  const unnamed = await llamaOperator(["plan", "-f", "-"], { input: fits, env: { KUBECONFIG: kubeconfig } });
  expect(unnamed.code).toBe(exitCodes.ok);
  expect(unnamed.out).toContain("assumed because the kubeconfig's cluster does not answer");
});

test("pools discover without a cluster says what to give", async () => {
  const { code, err } = await llamaOperator(["pools", "discover"]);
  expect(code).toBe(exitCodes.cluster);
  expect(err).toContain("give --kubeconfig");
});

test("plan takes measured overheads, and says where a file of them is wrong", async () => {
  const entry = {
    engine: "vllm",
    version: "0.32.0",
    gpu: "nvidia-h100-80gb",
    tensor: 1,
    model: "llama-3.1-8b-instruct",
    weights: "bf16",
    maxNumSeqs: 1024,
    maxNumBatchedTokens: 8192,
    overheadBytes: 2_000_000_000,
  };
  const plan = async (overheads: string) =>
    llamaOperator(["plan", "-f", "-", "--measured-overheads", overheads], { input: fits });
  const good = await plan(file("overheads.yaml", JSON.stringify([entry])));
  expect([good.code, good.err]).toEqual([exitCodes.ok, ""]);
  // Helm writes large numbers of its values so.
  const helms = file("helm-overheads.yaml", stringify([entry]).replace("2000000000", "2e+09"));
  expect((await plan(helms)).code).toBe(exitCodes.ok);
  const path = file("wrong-overheads.yaml", JSON.stringify([{ ...entry, gpus: 1 }]));
  const wrong = await plan(path);
  expect(wrong.code).toBe(exitCodes.usage);
  expect(wrong.err).toBe(`error: --measured-overheads ${path}: [0].gpus unknown field "[0].gpus"\n`);
  expect((await plan("nowhere.yaml")).err).toContain("--measured-overheads nowhere.yaml: ENOENT");
  expect((await plan(file("broken.yaml", "a: ["))).err).toContain("not YAML");
});

test("crds prints both kinds as a YAML stream, or as a List in JSON", async () => {
  const { out } = await llamaOperator(["crds"]);
  const names = parseAllDocuments(out).map((document) => document.getIn(["metadata", "name"]));
  expect(names).toEqual(["llamadeployments.llama-operator.dev", "gpupools.llama-operator.dev"]);
  const json = await llamaOperator(["crds", "-o", "json"]);
  expect(JSON.parse(json.out)).toMatchObject({
    kind: "List",
    items: [{ kind: "CustomResourceDefinition" }, {}],
  });
});

test("colours are for terminals, and NO_COLOR turns them off", async () => {
  const escape = "\u001b[";
  const run = async (given: Given) =>
    (await llamaOperator(["plan", "-f", "-"], { input: fits, ...given })).out;
  expect(await run({ isTerminal: true })).toContain(escape);
  expect(await run({ isTerminal: true, env: { NO_COLOR: "1" } })).not.toContain(escape);
  expect(await run({ isTerminal: false })).not.toContain(escape);
});

test("a stack trace is shown with --debug only", async () => {
  const plain = await llamaOperator(["plan", "-f", "nowhere.yaml"]);
  expect(plain.err.trim().split("\n")).toHaveLength(1);
  const debug = await llamaOperator(["plan", "-f", "nowhere.yaml", "--debug"]);
  expect(debug.err).toContain("    at ");
});

test("completion knows the commands and their options", async () => {
  const { code, out } = await llamaOperator(["completion", "bash"]);
  expect(code).toBe(exitCodes.ok);
  expect(out).toMatch(/"pools"\) words="discover/);
  expect(out).toMatch(/"plan"\) words="[^"]*--machine-shape/);
  expect((await llamaOperator(["completion", "fish"])).code).toBe(exitCodes.usage);
});
