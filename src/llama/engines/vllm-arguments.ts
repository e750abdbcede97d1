// The command line of `vllm serve`. Whatever a default of some version could change is written out, so that the
// memory that was planned is the memory that is used. Every flag is in the 0.32.0 table that the tests read.
import { plannedEngineFlags } from "../api/engine-spec.ts";
import type { LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { Plan } from "../planning/plan.ts";
import type { EngineInput, EngineServing, Rank } from "./engine.ts";

export type VllmServing = EngineServing;

/** Port of torch's rendezvous on the leader; vLLM's default, written out. */
const rendezvousPort = 29501;

/** The flags that {@link vllmArguments} takes from the plan and that the user may not set, beside the schema's own. */
const alsoPlanned = ["gpu-memory-utilization", "max-num-seqs", "max-num-batched-tokens"];

/** Another name of a planned flag, and the flag that would part the tokenizer from the pinned checkpoint. */
const alsoRefused = ["device-memory-utilization", "tokenizer"];

/**
 * Llama's instruction-tuned models call tools as JSON, which `llama3_json` reads. No `--chat-template` is set:
 * vLLM's tool template is an example file that its package does not hold, so whether an image has it is a matter
 * of luck, while the template inside the checkpoint renders tools, asks for that same JSON and is what the model
 * was trained with. Its one limit: it refuses a history with several calls in one assistant message.
 */
const callsTools = /^llama-3\.[123]-\d+b-instruct$/;

type Flag = readonly [name: string, value?: string | number];

/** Arguments after `vllm serve`: the model, planned flags, then the user's own in alphabetical order. */
export function vllmArguments(input: EngineInput, serving: VllmServing): readonly string[] {
  const { spec, plan, rank } = input;
  const planned: readonly Flag[] = [
    ...modelFlags(plan),
    ...(rank.role === "worker" ? [] : servingFlags(spec, serving)),
    ...parallelismFlags(plan, rank),
    ...memoryFlags(plan),
    ...(rank.role === "worker" ? [] : toolFlags(spec)),
  ];
  const own = Object.entries(spec.engine.args)
    .filter(([name]) => plannedFlagMeantBy(name) === undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]): Flag => (value === "" ? [name] : [name, literal(value)]));
  return [literal(modelLocation(input)), ...[...planned, ...own].map(write)];
}

/** `--name=value`: one word, so that a value that starts with a dash is not read as a flag. */
function write([name, value]: Flag): string {
  return value === undefined ? `--${name}` : `--${name}=${value}`;
}

/** Text that the kubelet passes on as it is, instead of expanding `$(NAME)` from the environment, tokens included. */
function literal(text: string): string {
  return text.replaceAll("$", () => "$$");
}

function modelLocation({ plan, modelPath }: EngineInput): string {
  const { source } = plan.weights;
  if (source.kind === "huggingFace") return source.repository;
  if (modelPath === undefined) throw new Error("weights on a volume need the path they are mounted at");
  return modelPath;
}

function modelFlags({ weights }: Plan): readonly Flag[] {
  const { source, quantMethod } = weights;
  return [
    ...(source.kind === "huggingFace"
      ? ([
          ["revision", source.revision],
          ["tokenizer-revision", source.revision],
        ] as const)
      : []),
    // Pickled weights can run code; safetensors cannot.
    ["load-format", "safetensors"],
    // A checkpoint says itself how it is quantised; only quantising on the fly is asked for.
    ...(quantMethod === "fp8" ? ([["quantization", "fp8"]] as const) : []),
  ];
}

function servingFlags(spec: LlamaDeploymentSpec, serving: VllmServing): readonly Flag[] {
  return [
    ["served-model-name", spec.model.name],
    ["host", "0.0.0.0"],
    ["port", serving.port],
    ["shutdown-timeout", serving.shutdownTimeoutSeconds],
  ];
}

/** Tensor parallelism within a node, pipeline stages across nodes; vLLM's own multi-node mode, without Ray. */
function parallelismFlags(plan: Plan, rank: Rank): readonly Flag[] {
  const degrees: readonly Flag[] = [
    ["tensor-parallel-size", plan.tensor],
    ["pipeline-parallel-size", plan.pipeline],
    ...(plan.gpusPerReplica > 1 ? ([["distributed-executor-backend", "mp"]] as const) : []),
  ];
  if (rank.role === "single") return degrees;
  return [
    ...degrees,
    ["nnodes", plan.nodesPerReplica],
    // LeaderWorkerSet puts these variables at the front of every container's environment.
    ["node-rank", rank.role === "leader" ? 0 : "$(LWS_WORKER_INDEX)"],
    ["master-addr", "$(LWS_LEADER_ADDRESS)"],
    ["master-port", rendezvousPort],
    ...(rank.role === "worker" ? ([["headless"]] as const) : []),
  ];
}

function memoryFlags({ limits, kvCache }: Plan): readonly Flag[] {
  return [
    ["max-model-len", limits.maxModelLen],
    ["max-num-seqs", limits.maxNumSeqs],
    ["max-num-batched-tokens", limits.maxNumBatchedTokens],
    ["gpu-memory-utilization", limits.gpuMemoryUtilization],
    ["block-size", limits.blockSize],
    ...(limits.kvCacheMemoryBytes === undefined
      ? []
      : ([["kv-cache-memory-bytes", limits.kvCacheMemoryBytes]] as const)),
    // `auto` would follow a checkpoint that declares KV quantisation, against the plan.
    ["kv-cache-dtype", kvCache === "bf16" ? "bfloat16" : "fp8"],
  ];
}

/** On by default for models that call tools, unless the user chooses a parser or switches it off. */
function toolFlags(spec: LlamaDeploymentSpec): readonly Flag[] {
  const chosen = ["enable-auto-tool-choice", "no-enable-auto-tool-choice", "tool-call-parser"];
  if (spec.model.profile !== undefined || !callsTools.test(spec.model.name)) return [];
  if (chosen.some((name) => name in spec.engine.args)) return [];
  return [["enable-auto-tool-choice"], ["tool-call-parser", "llama3_json"]];
}

/**
 * The planned flag that argparse would take `name` for: itself, another name of it, its negation, or any prefix,
 * since argparse completes flags that are written in part.
 */
function plannedFlagMeantBy(name: string): string | undefined {
  return [...alsoRefused, ...plannedEngineFlags, ...alsoPlanned].find(
    (planned) => planned.startsWith(name) || `no-${planned}`.startsWith(name),
  );
}

/** One sentence for each flag that would undo the plan although the schema lets it pass. */
export function refusedArguments(args: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(args).flatMap((name) => {
    const planned = plannedFlagMeantBy(name);
    // The planner reads these limits from the arguments, so that they are in the plan already.
    if (planned === undefined || alsoPlanned.includes(name)) return [];
    return [`spec.engine.args: vLLM reads ${name} as ${planned}, which follows from the plan`];
  });
}
