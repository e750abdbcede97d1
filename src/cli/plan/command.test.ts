// What `plan` does with flags: none is dropped in silence, and what it proposes can be done.
import { describe, expect, test } from "vitest";
import { exitCodes } from "../exit-codes.ts";
import { runCommandLine } from "../testing/run-command-line.ts";

const plan = (...argv: readonly string[]) => runCommandLine(["plan", ...argv]);

const llama = (model: string) =>
  `apiVersion: llama-operator.dev/v1alpha1\nkind: LlamaDeployment\nmetadata: { name: ours }\nspec: { model: { name: ${model} } }\n`;
const pool =
  "apiVersion: llama-operator.dev/v1alpha1\nkind: GpuPool\nmetadata: { name: mine }\nspec: { gpu: { product: nvidia-h200-141gb, perNode: 8 } }\n";
const ofFile = (input: string, ...argv: readonly string[]) =>
  runCommandLine(["plan", "-f", "-", ...argv], { input });

describe("flags beside a file", () => {
  test("are refused, each with the field that says the same", async () => {
    const flags = ["--tensor", "2", "--context", "16384", "--engine-version", "0.10.0"];
    const { code, out, err } = await ofFile(llama("llama-3.1-8b-instruct"), ...flags);
    expect(code).toBe(exitCodes.usage);
    expect(out).toBe("");
    expect(err).toBe(
      "error: --context, --tensor, --engine-version beside -f: flags go with --model and --compare; in a file write spec.context.maxTokens, spec.parallelism.tensor, spec.engine.version\n",
    );
  });

  test.each([
    ["--concurrency", "4"],
    ["--weights", "fp8"],
    ["--kv-cache", "fp8"],
    ["--pipeline", "2"],
  ])("are refused: %s", async (...flag) => {
    expect((await ofFile(llama("llama-3.1-8b-instruct"), ...flag)).code).toBe(exitCodes.usage);
  });

  test.each([
    ["--gpu", "h100"],
    ["--machine-shape", "p5.48xlarge"],
    ["--gpus-per-node", "4"],
  ])("are refused where the files hold pools: %s", async (...flag) => {
    const { code, err } = await ofFile(`${pool}---\n${llama("llama-3.1-8b-instruct")}`, ...flag);
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain(`${flag[0]} beside the GpuPools of standard input`);
  });

  test("say which pools where the files hold none", async () => {
    const { code, out } = await ofFile(llama("llama-3.1-8b-instruct"), "--gpu", "h200");
    expect(code).toBe(exitCodes.ok);
    expect(out).toContain("Pools (flags): 8 x nvidia-h200-141gb a node");
  });
});

describe("--gpu", () => {
  test("plans the card that it names: an L4 is no L40S", async () => {
    const { out } = await plan("--model", "llama-3.2-1b-instruct", "--gpu", "l4");
    expect(out).toContain("Pools (flags): 8 x nvidia-l4 a node");
  });

  test("refuses a name that the catalog lacks, and offers the nearest", async () => {
    const { code, out, err } = await plan("--model", "llama-3.1-8b-instruct", "--gpu", "h20");
    expect(code).toBe(exitCodes.usage);
    expect(out).toBe("");
    expect(err).toMatch(/^error: --gpu h20: not in the catalog; nearest are .*nvidia-h200-141gb/);
  });
});

describe("--compare", () => {
  test("where nothing fits tells of no tokens, and ends as a refusal does", async () => {
    const small = ["--gpu", "l4", "--gpus-per-node", "1"];
    const { code, out, err } = await plan("--compare", "llama-3.1-405b-instruct", ...small);
    expect(code).toBe(exitCodes.refused);
    expect(out).toContain("DoesNotFit");
    expect(out).not.toContain("tokens:");
    expect(out).not.toContain("AT ONCE: ");
    expect(err).toBe("error: nothing of this fits\n");
  });

  test("of a model that is not known is no success, whatever else it compares", async () => {
    const { code, out, err } = await plan("--compare", "llama-3.1-8b-instruct", "llama-9b");
    expect(code).toBe(exitCodes.refused);
    expect(out).toMatch(/llama-9b +BF16 .*UnknownModel/);
    expect(err).toBe("error: not in the catalog: llama-9b\n");
  });

  test("is an answer where some of it fits", async () => {
    const models = ["llama-3.2-1b-instruct", "llama-3.1-405b-instruct"];
    const { code, out } = await plan("--compare", ...models, "--gpu", "l4");
    expect(code).toBe(exitCodes.ok);
    expect(out).toContain("AT ONCE: requests of 128K");
  });

  test("explains nothing", async () => {
    const { code, err } = await plan("--compare", "--explain");
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain("not with --compare");
  });
});

describe("what would run instead", () => {
  test("is said in flags where flags asked, for there is no object to patch", async () => {
    const { code, out } = await plan("--model", "llama-3.1-8b-instrcut");
    expect(code).toBe(exitCodes.refused);
    expect(out).not.toContain("kubectl");
    expect(out).toMatch(/\n {4}with --model llama-3\.1-8b-instruct\n/);
    const degrees = await plan("--model", "llama-3.1-8b-instruct", "--tensor", "3", "--pipeline", "1");
    expect(degrees.out).toMatch(/\n {4}with --tensor 4\n/);
    expect(degrees.out).toMatch(/\n {4}without --tensor, without --pipeline\n/);
  });

  test("is a line of the file where the model is not known, which no cluster has taken in", async () => {
    const { out } = await ofFile(llama("llama-3.1-8b-instrcut"));
    expect(out).not.toContain("kubectl");
    expect(out).toContain("in standard input: spec: {model: {name: llama-3.1-8b-instruct}}");
  });
});
