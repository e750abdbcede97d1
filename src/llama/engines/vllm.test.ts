import { describe, expect, test } from "vitest";
import flagTable from "../../../local/engine/command-line/vllm-0.32.0-flags.json" with { type: "json" };
import { parseServeArguments } from "../../../local/engine/command-line/argv.ts";
import { plannedEngineFlags } from "../api/engine-spec.ts";
import { llamaDeploymentSpec } from "../api/llama-deployment.ts";
import { cases, type Case } from "../testing/planned-cases.ts";
import type { EngineContainer, Rank } from "./engine.ts";
import { engineFor } from "./registry.ts";

const engine = engineFor("vllm");
const ranks: readonly Rank[] = [{ role: "single" }, { role: "leader" }, { role: "worker" }];

function containerOf({ spec, plan }: Case, role: Rank["role"]): EngineContainer {
  return engine.container({ spec, plan, rank: { role }, modelPath: "/models/llama/8b" });
}

function withEngine(given: Case, engineSpec: object): Case {
  return { ...given, spec: llamaDeploymentSpec.parse({ ...given.spec, engine: engineSpec }) };
}

function flagsOf({ args }: EngineContainer): Map<string, string> {
  return new Map(
    args.slice(1).map((word) => {
      const [name = "", ...value] = word.split("=");
      return [name, value.join("=")];
    }),
  );
}

function variablesOf({ env }: EngineContainer): Map<string, (typeof env)[number]> {
  return new Map(env.map((variable) => [variable.name, variable]));
}

describe("vLLM's command line", () => {
  test("has only flags that vLLM 0.32 knows, in every case and at every rank", () => {
    const known = new Set(Object.keys(flagTable.flags));
    for (const given of Object.values(cases)) {
      for (const { role } of ranks) {
        const unknown = [...flagsOf(containerOf(given, role)).keys()].filter((flag) => !known.has(flag));
        expect(unknown, `${given.name}, ${role}`).toEqual([]);
      }
    }
  });

  test("is read by vLLM's argument parser as what the plan says", () => {
    const { plan } = cases.fourHundredFiveB;
    expect(parseServeArguments(containerOf(cases.fourHundredFiveB, "single").args)).toMatchObject({
      model: "RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8-dynamic",
      servedModelNames: ["llama-3.1-405b-instruct"],
      port: 8000,
      tensorParallelSize: 8,
      pipelineParallelSize: 1,
      nodeCount: 1,
      headless: false,
      maxModelLen: plan.limits.maxModelLen,
      maxNumSeqs: plan.limits.maxNumSeqs,
      maxNumBatchedTokens: plan.limits.maxNumBatchedTokens,
      gpuMemoryUtilization: plan.limits.gpuMemoryUtilization,
      blockSize: plan.limits.blockSize,
      kvCacheDtype: "fp8",
      quantization: undefined,
      loadFormat: "safetensors",
      shutdownTimeoutSeconds: engine.serving.shutdownTimeoutSeconds,
    });
  });

  test("pins weights and tokenizer to the planned revision", () => {
    const flags = flagsOf(containerOf(cases.eightB, "single"));
    expect(flags.get("--revision")).toBe("0e9e39f249a16976918f6564b8830bc894c89659");
    expect(flags.get("--tokenizer-revision")).toBe(flags.get("--revision"));
  });

  test("of a model on a volume names its folder and no revision", () => {
    const { args } = containerOf(cases.fromVolume, "single");
    expect(args[0]).toBe("/models/llama/8b");
    expect(args.join(" ")).not.toContain("revision");
  });

  test("asks for quantisation only where the engine quantises on the fly", () => {
    const { plan } = cases.eightB;
    const onTheFly: Case = {
      ...cases.eightB,
      plan: { ...plan, weights: { ...plan.weights, format: "fp8", quantMethod: "fp8" } },
    };
    expect(flagsOf(containerOf(onTheFly, "single")).get("--quantization")).toBe("fp8");
    expect(flagsOf(containerOf(cases.seventyB, "single")).has("--quantization")).toBe(false);
  });

  test("joins the ranks of a group without Ray, the leader as rank 0, the workers headless", () => {
    const { plan } = cases.groupOfTwo;
    const leader = flagsOf(containerOf(cases.groupOfTwo, "leader"));
    const worker = flagsOf(containerOf(cases.groupOfTwo, "worker"));
    const shared = {
      "--nnodes": "2",
      "--master-addr": "$(LWS_LEADER_ADDRESS)",
      "--master-port": "29501",
      "--distributed-executor-backend": "mp",
      "--tensor-parallel-size": String(plan.tensor),
      "--pipeline-parallel-size": String(plan.pipeline),
    };
    expect(Object.fromEntries(leader)).toMatchObject({ ...shared, "--node-rank": "0" });
    expect(Object.fromEntries(worker)).toMatchObject({
      ...shared,
      "--node-rank": "$(LWS_WORKER_INDEX)",
      "--headless": "",
    });
    expect(leader.has("--headless")).toBe(false);
    expect(worker.has("--port")).toBe(false);
  });

  test("gives every rank the same model and memory", () => {
    const memory = (role: Rank["role"]) =>
      [...flagsOf(containerOf(cases.groupOfTwo, role))].filter(([flag]) =>
        /max-|memory|block|kv-|load|revision/.test(flag),
      );
    expect(memory("worker")).toEqual(memory("leader"));
  });

  test("calls tools with Llama's instruction-tuned models, with the checkpoint's own template", () => {
    const flags = flagsOf(containerOf(cases.eightB, "single"));
    expect(flags.get("--tool-call-parser")).toBe("llama3_json");
    expect(flags.has("--enable-auto-tool-choice")).toBe(true);
    expect(flags.has("--chat-template")).toBe(false);
  });

  test.each([
    ["no-enable-auto-tool-choice", ""],
    ["tool-call-parser", "pythonic"],
  ])("leaves tools to a user who sets %s", (name, value) => {
    const { args } = containerOf(withEngine(cases.eightB, { args: { [name]: value } }), "single");
    expect(args.filter((word) => word.includes("tool"))).toEqual([
      value === "" ? `--${name}` : `--${name}=${value}`,
    ]);
  });

  test("ends with the user's flags in alphabetical order, whatever order they were written in", () => {
    const ends = (args: Record<string, string>) =>
      containerOf(withEngine(cases.eightB, { args }), "single").args.slice(-3);
    const expected = ["--async-scheduling", "--max-logprobs=5", "--seed=7"];
    expect(ends({ seed: "7", "max-logprobs": "5", "async-scheduling": "" })).toEqual(expected);
    expect(ends({ "async-scheduling": "", seed: "7", "max-logprobs": "5" })).toEqual(expected);
  });

  test("passes the user's value on as written, without expanding the token into it", () => {
    const flags = flagsOf(containerOf(cases.seventyB, "single"));
    expect(flags.get("--chat-template")).toBe("$$(HF_TOKEN)-{{ messages }}");
  });

  test.each([...plannedEngineFlags, "tensor-parallel", "device-memory-utilization", "tokenizer", "head"])(
    "keeps the plan when the user sets %s",
    (name) => {
      const { spec } = cases.groupOfTwo;
      const forced: Case = {
        ...cases.groupOfTwo,
        spec: { ...spec, engine: { ...spec.engine, args: { [name]: "66" } } },
      };
      expect(containerOf(forced, "leader").args).toEqual(containerOf(cases.groupOfTwo, "leader").args);
      expect(engine.refusals(forced.spec)).toEqual([expect.stringContaining(name)]);
    },
  );

  test("keeps the plan whatever part of a planned flag the user writes, which argparse would complete", () => {
    const { spec } = cases.groupOfTwo;
    const baseline = containerOf(cases.groupOfTwo, "worker");
    const flags = [...flagsOf(baseline).keys()].map((flag) => flag.slice(2));
    for (const flag of flags.flatMap((name) => [name, `no-${name}`])) {
      for (let length = 1; length <= flag.length; length += 1) {
        const args = { [flag.slice(0, length).replace(/-$/, "")]: "66" };
        const forced: Case = { ...cases.groupOfTwo, spec: { ...spec, engine: { ...spec.engine, args } } };
        expect(containerOf(forced, "worker").args).toEqual(baseline.args);
      }
    }
  });

  test("takes limits from the plan once, which has read them from the user's flags", () => {
    const given = withEngine(cases.eightB, { args: { "max-num-seqs": "128" } });
    const words = containerOf(given, "single").args.filter((word) => word.startsWith("--max-num-seqs"));
    expect(words).toEqual(["--max-num-seqs=1024"]);
    expect(engine.refusals(given.spec)).toEqual([]);
  });
});

describe("vLLM's container", () => {
  test("runs the published image of the planned version, or the one that the user names", () => {
    expect(containerOf(cases.eightB, "single").image).toBe("vllm/vllm-openai:v0.32.0");
    const given = withEngine(cases.eightB, { image: "registry.example/vllm@sha256:1" });
    expect(containerOf(given, "single").image).toBe("registry.example/vllm@sha256:1");
  });

  test("writes to its writable paths alone", () => {
    const container = containerOf(cases.eightB, "single");
    const directories = container.env.filter(({ value }) => value?.startsWith("/"));
    expect(directories.map(({ name }) => name)).toContain("HOME");
    for (const { value } of directories) {
      expect(container.writablePaths.some((path) => value === path || value?.startsWith(`${path}/`))).toBe(
        true,
      );
    }
  });

  test("takes the token from the Secret, and only for a hub", () => {
    expect(variablesOf(containerOf(cases.eightB, "single")).get("HF_TOKEN")).toEqual({
      name: "HF_TOKEN",
      valueFrom: { secretKeyRef: { name: "hugging-face", key: "token" } },
    });
    const offline = variablesOf(containerOf(cases.fromVolume, "single"));
    expect(offline.has("HF_TOKEN")).toBe(false);
    expect(offline.get("HF_HUB_OFFLINE")?.value).toBe("1");
  });

  test("keeps its own variables when the user sets them, and lets the others be replaced", () => {
    const given = withEngine(cases.overEfa, {
      env: [
        { name: "HF_TOKEN", value: "hf_secret" },
        { name: "VLLM_HOST_IP", value: "10.0.0.1" },
        { name: "NCCL_SOCKET_IFNAME", value: "eth1" },
        { name: "VLLM_MAX_N_SEQUENCES", value: "8" },
      ],
    });
    const variables = variablesOf(containerOf(given, "leader"));
    expect(variables.get("HF_TOKEN")?.value).toBeUndefined();
    expect(variables.get("VLLM_HOST_IP")?.valueFrom?.fieldRef?.fieldPath).toBe("status.podIP");
    expect(variables.get("NCCL_SOCKET_IFNAME")?.value).toBe("eth1");
    expect(variables.get("VLLM_MAX_N_SEQUENCES")?.value).toBe("8");
    expect(engine.refusals(given.spec)).toEqual([
      "spec.engine.env: HF_TOKEN comes from spec.model.source.huggingFace.tokenSecretRef",
      "spec.engine.env: VLLM_HOST_IP is set by the operator",
    ]);
  });

  test("names each variable once", () => {
    for (const given of Object.values(cases)) {
      for (const { role } of ranks) {
        const names = containerOf(given, role).env.map(({ name }) => name);
        expect(names).toEqual([...new Set(names)]);
      }
    }
  });

  test("is given the fabric's variables where a replica spans nodes, and only there", () => {
    expect(variablesOf(containerOf(cases.overEfa, "worker")).get("FI_PROVIDER")?.value).toBe("efa");
    const oneNode: Case = {
      ...cases.fourHundredFiveB,
      plan: { ...cases.fourHundredFiveB.plan, fabric: "efa" },
    };
    expect(variablesOf(containerOf(oneNode, "single")).has("FI_PROVIDER")).toBe(false);
  });

  test("answers to the model's name", () => {
    expect(engine.servedModelName(cases.eightB.spec)).toBe("llama-3.1-8b-instruct");
  });
});
