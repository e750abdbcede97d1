// `inspect` through its front door: arguments in, a folder or a hub on loopback behind it, text and exit code out.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { parse } from "yaml";
import { parseLlamaDeployment } from "@llama-operator/llama/api";
import { findModel } from "@llama-operator/llama/catalog";
import {
  fp8Tensors,
  llamaConfig,
  llamaTensors,
  safetensorsHead,
  sharded,
  textFile,
  tinyLlama,
} from "../inspection/testing/checkpoint-files.ts";
import type { FileHead } from "../inspection/testing/checkpoint-files.ts";
import { startFakeHub } from "../inspection/testing/fake-hub.ts";
import type { FakeHub } from "../inspection/testing/fake-hub.ts";
import { sparseFolder } from "../inspection/testing/sparse-folder.ts";
import { exitCodes } from "../exit-codes.ts";
import { InterruptedError } from "../terminal.ts";
import { runCommandLine, type Given } from "../testing/run-command-line.ts";

const root = mkdtempSync(join(tmpdir(), "llama-operator-inspect-"));
afterAll(() => rmSync(root, { recursive: true }));
const hubs: FakeHub[] = [];
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
});

const inspect = (argv: readonly string[], given?: Given) => runCommandLine(["inspect", ...argv], given);

const folderOf = (files: Iterable<readonly [string, FileHead]>) => sparseFolder(root, files, "ours");

const repository = "our-org/Our-Llama_FP8";
const commit = "0123456789abcdef0123456789abcdef01234567";
const quantization_config = {
  quant_method: "compressed-tensors",
  config_groups: { group_0: { weights: { num_bits: 8, type: "float" } } },
  ignore: ["lm_head"],
};

async function hubWith(
  given: {
    readonly repository?: string;
    readonly commit?: string;
    readonly files?: ReadonlyMap<string, FileHead>;
  } = {},
) {
  const hub = await startFakeHub({
    repository: given.repository ?? repository,
    commit: given.commit ?? commit,
    files:
      given.files ??
      new Map([
        ["config.json", textFile(llamaConfig(tinyLlama, { quantization_config }))],
        ["model.safetensors", safetensorsHead(fp8Tensors(tinyLlama))],
      ]),
  });
  hubs.push(hub);
  return hub;
}

test("a repository gives a spec.model that the operator takes, at the commit that the branch is now", async () => {
  const hub = await hubWith();
  const { code, out, err } = await inspect([repository, "-o", "yaml"], { env: { HF_ENDPOINT: hub.url } });
  expect(code).toBe(exitCodes.ok);
  expect(err).toBe(`main of ${repository} is commit ${commit}\n`);
  const { model } = parse(out) as { readonly model: unknown };
  expect(model).toMatchObject({
    name: "our-llama-fp8",
    source: { huggingFace: { repository, revision: commit } },
    profile: { layers: 2, weights: "fp8", quantMethod: "compressed-tensors" },
  });
  const manifest = {
    apiVersion: "llama-operator.dev/v1alpha1",
    kind: "LlamaDeployment",
    metadata: { name: "ours" },
    spec: { model },
  };
  expect(parseLlamaDeployment(manifest).ok).toBe(true);
});

test("the table says what it is, how large its parts are, and what to paste", async () => {
  const hub = await hubWith();
  const { out } = await inspect([repository, "--revision", commit, "--endpoint", hub.url]);
  expect(out).toContain(`${repository} @ ${commit}\n`);
  expect(out).toMatch(/Layers +2 of width 64, feed-forward 128/);
  expect(out).toMatch(/Quantised +compressed-tensors, 8-bit float; not lm_head/);
  expect(out).toMatch(/ {4}scales +2,048/);
  expect(out).toMatch(/ {4}total +158,336/);
  expect(out).toContain("To paste under spec:\n\nmodel:\n  name: our-llama-fp8\n");
});

test("a model of the catalog is said to need no profile", async () => {
  const architecture = findModel("llama-3.1-8b")?.architecture ?? tinyLlama;
  const hub = await hubWith({
    repository: "meta-llama/Llama-3.1-8B",
    commit: "d04e592bb4f6aa9cfee91e2e20afa771667e1d4b",
    files: new Map([
      ["config.json", textFile(llamaConfig(architecture))] as const,
      ...sharded(llamaTensors(architecture), 4),
    ]),
  });
  const { out, err } = await inspect(["meta-llama/Llama-3.1-8B", "--endpoint", hub.url]);
  expect(out).toContain(
    'The catalog knows this model as llama-3.1-8b; no profile is needed: "model: {name: llama-3.1-8b}"',
  );
  expect(out).toMatch(/total +16,060,522,496/);
  expect(err).toContain("reading the headers of 4 files\n");
});

test("a folder needs no network, and its volume is for the person to name", async () => {
  const folder = folderOf([
    ["config.json", textFile(llamaConfig(tinyLlama))],
    ["model.safetensors", safetensorsHead(llamaTensors(tinyLlama))],
  ]);
  const { code, out } = await inspect([folder]);
  expect(code).toBe(exitCodes.ok);
  expect(out).toContain("claimName: model-weights");
  expect(out).toContain("Note: model-weights stands for the PersistentVolumeClaim");
});

test("a gated repository's token comes from the environment or a file, and is never printed", async () => {
  const hub = await hubWith();
  hub.behaviour.gatedBut = "hf_right";
  const env = { HF_ENDPOINT: hub.url };
  const without = await inspect([repository], { env });
  expect(without.code).toBe(exitCodes.error);
  expect(without.err).toContain(`error: ${repository} is gated: accept its licence at`);
  const wrong = await inspect([repository, "--debug"], { env: { ...env, HF_TOKEN: "hf_wrong" } });
  expect(wrong.out + wrong.err).not.toContain("hf_wrong");
  const file = join(root, "token");
  writeFileSync(file, "hf_right\n");
  const right = await inspect([repository, "--token-file", file], { env: { ...env, HF_TOKEN: "hf_wrong" } });
  expect(right.code).toBe(exitCodes.ok);
  expect(right.out).toContain("tokenSecretRef:");
  expect(right.out + right.err).not.toContain("hf_right");
});

test("progress is redrawn on a terminal", async () => {
  const folder = folderOf([
    ["config.json", textFile(llamaConfig(tinyLlama))],
    ...sharded(llamaTensors(tinyLlama), 3),
  ]);
  const { err } = await inspect([folder], { isTerminal: true, env: { NO_COLOR: "1" } });
  expect(err).toBe(
    "\rreading headers: 1 of 3 files\rreading headers: 2 of 3 files\rreading headers: 3 of 3 files\n",
  );
});

test("a broken file is an error that names it; Ctrl-C is an interruption", async () => {
  const folder = folderOf([
    ["config.json", textFile(llamaConfig(tinyLlama))],
    ["model.safetensors", textFile("{}")],
  ]);
  const broken = await inspect([folder]);
  expect(broken.code).toBe(exitCodes.error);
  expect(broken.err).toBe(
    `error: ${join(folder, "model.safetensors")}: truncated: it has 2 bytes, and 8 are needed\n`,
  );
  const stopped = await inspect([folder], { signal: AbortSignal.abort(new InterruptedError("SIGINT")) });
  expect(stopped.code).toBe(exitCodes.interrupted);
});

test("weights that no profile can describe are shown, and end with an error that says why", async () => {
  const tensors = llamaTensors(tinyLlama).map((tensor) => {
    const [rows = 1, columns = 1] = tensor.shape;
    return tensor.name.endsWith("_proj.weight")
      ? { ...tensor, dtype: "U8", shape: [rows, columns / 2] }
      : tensor;
  });
  const config = llamaConfig(tinyLlama, {
    quantization_config: { quant_method: "modelopt", quant_algo: "NVFP4" },
  });
  const folder = folderOf([
    ["config.json", textFile(config)],
    ["model.safetensors", safetensorsHead(tensors)],
  ]);
  const { code, out, err } = await inspect([folder]);
  expect(code).toBe(exitCodes.error);
  expect(out).toContain("4-bit float");
  expect(out).not.toContain("To paste");
  expect(err).toContain("no profile can describe its weights");
});

test.each([
  [
    "what is neither a path nor a repository",
    ["no-such-thing"],
    {},
    "no such file or folder, and no repository such as",
  ],
  ["a revision of an Ollama model", ["ollama:llama3.1", "--revision", "x"], {}, "a tag follows the name"],
  ["a broken Ollama name", ["ollama:a/b/c/d"], {}, "not a name of the Ollama registry"],
  [
    "an endpoint that is no address",
    ["a/b", "--endpoint", "nowhere"],
    {},
    '"nowhere": not a server\'s address',
  ],
  [
    "an endpoint with a user in it",
    ["a/b", "--endpoint", "https://me:secret@hub"],
    {},
    "without user, query or fragment",
  ],
  [
    "a token over plain HTTP",
    ["a/b", "--endpoint", "http://hub.example.com"],
    { HF_TOKEN: "hf_x" },
    "travel readably over http",
  ],
  ["a token that is none", ["a/b"], { HF_TOKEN: "hf\nx" }, "HF_TOKEN: holds no token"],
  [
    "a token file that is not there",
    ["a/b", "--token-file", "nowhere"],
    {},
    "--token-file nowhere: cannot be read (ENOENT)",
  ],
])("nothing is tried for %s", async (_case, argv, env, message) => {
  const { code, err, out } = await inspect(argv, { env });
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain(message);
  expect(err).not.toContain("secret");
  expect(out).toBe("");
});
