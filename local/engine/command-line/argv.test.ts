import { describe, expect, test } from "vitest";
import { ArgparseExit } from "./argparse.ts";
import { parseServeArguments } from "./argv.ts";

function refusal(argv: readonly string[]): ArgparseExit {
  try {
    parseServeArguments(argv);
  } catch (error) {
    if (error instanceof ArgparseExit) return error;
    throw error;
  }
  throw new Error(`accepted: ${argv.join(" ")}`);
}

describe("the command line of vllm serve", () => {
  test.each([
    [["m", "--tensor-parallel-size=8"], { tensorParallelSize: 8 }],
    [["m", "--tensor-parallel-size", "8"], { tensorParallelSize: 8 }],
    [["m", "-tp", "4", "-pp=2"], { tensorParallelSize: 4, pipelineParallelSize: 2 }],
    [["m", "-n2", "-r", "1", "--headless"], { nodeCount: 2, nodeRank: 1, headless: true }],
    [["m", "--max_model_len", "32k"], { maxModelLen: 32_000 }],
    [["m", "--max-model-len", "128K"], { maxModelLen: 131_072 }],
    [["m", "--max-model-len=25.6k"], { maxModelLen: 25_600 }],
    [["m", "--max-model-len", "auto"], { maxModelLen: "auto" }],
    [["m", "--max-model-len", "-1"], { maxModelLen: "auto" }],
    [["m", "--kv-cache-memory-bytes", "2G"], { kvCacheMemoryBytes: 2_147_483_648 }],
    [["m", "--gpu-memory-util", "0.9"], { gpuMemoryUtilization: 0.9 }],
    [["m", "--device-memory-utilization", "0.5"], { gpuMemoryUtilization: 0.5 }],
    [["m", "--enforce-eager"], { enforceEager: true }],
    [["m", "--enforce-eager", "--no-enforce-eager"], { enforceEager: false }],
    [["m", "--served-model-name", "a", "b", "--port", "9000"], { servedModelNames: ["a", "b"], port: 9000 }],
    [["--port", "9000", "m"], { model: "m", port: 9000 }],
    [["--model", "m"], { model: "m", servedModelNames: ["m"] }],
    [["m", "--compilation-config.level", "3", "--port=81"], { port: 81 }],
    [
      ["m"],
      { shutdownTimeoutSeconds: 0, gpuMemoryUtilization: 0.92, kvCacheDtype: "auto", masterPort: 29_501 },
    ],
  ])("reads %j", (argv, expected) => {
    expect(parseServeArguments(argv)).toMatchObject(expected);
  });

  test.each([
    [["m", "--foo"], "vllm: error: unrecognized arguments: --foo"],
    [["m", "--foo", "bar", "--port", "1"], "vllm: error: unrecognized arguments: --foo bar"],
    [["m", "stray"], "vllm: error: unrecognized arguments: stray"],
    [
      ["m", "--tensor-parallel-size", "eight"],
      "vllm serve: error: argument --tensor-parallel-size/-tp: invalid int value: 'eight'",
    ],
    [["m", "-tp"], "vllm serve: error: argument --tensor-parallel-size/-tp: expected one argument"],
    [
      ["m", "--served-model-name"],
      "vllm serve: error: argument --served-model-name: expected at least one argument",
    ],
    [
      ["m", "--gpu-memory-utilization=much"],
      "vllm serve: error: argument --gpu-memory-utilization/--device-memory-utilization: invalid float value: 'much'",
    ],
    [
      ["m", "--dtype", "int3"],
      "vllm serve: error: argument --dtype: invalid choice: 'int3' (choose from auto, bfloat16, float, float16, float32, half)",
    ],
    [["m", "--headless=true"], "vllm serve: error: argument --headless: ignored explicit argument 'true'"],
    [
      ["m", "--enforce-eager=1"],
      "vllm serve: error: argument --enforce-eager/--no-enforce-eager: ignored explicit argument '1'",
    ],
    [
      ["m", "--max-model-len", "long"],
      "vllm serve: error: argument --max-model-len: invalid human_readable_int_or_auto value: 'long'",
    ],
    [
      ["m", "--max-model-len", "1.5K"],
      "vllm serve: error: argument --max-model-len: Decimals are not allowed with binary suffixes like K. Did you mean to use 1.5k instead?",
    ],
    [
      ["m", "--data-parallel-start-rank", "x"],
      "vllm serve: error: argument --data-parallel-start-rank/-dpr: Value x cannot be converted to <class 'int'>.",
    ],
    [
      ["m", "--override-generation-config", "{"],
      "vllm serve: error: argument --override-generation-config: Value { cannot be converted to <function loads>.",
    ],
  ])("refuses %j in argparse's words, with exit code 2", (argv, words) => {
    const exit = refusal(argv);
    expect(exit.message.split("\n").at(-1)).toBe(words);
    expect(exit.message).toMatch(/^usage: vllm/);
    expect(exit.exitCode).toBe(2);
  });

  test("names the options that an abbreviation could mean", () => {
    expect(refusal(["m", "--max-num-q", "1"]).message).toContain(
      "ambiguous option: --max-num-q could match --max-num-queued-reqs, --max-num-queued-tokens",
    );
  });

  test("ends with code 0 on --help", () => {
    expect(refusal(["--help"]).exitCode).toBe(0);
  });
});
