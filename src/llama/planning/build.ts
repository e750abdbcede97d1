// From the chosen candidate to the plan: everything that engines and workloads need, and the reasons for people.
import { weightBytesOfNode } from "./memory/memory.ts";
import { stageLayers } from "./memory/weights.ts";
import { supportsFp8KvCache } from "../catalog/engines/vllm.ts";
import { contextLength, counted, gib, thousands } from "./messages/format.ts";
import { accountCandidate, memoryInput } from "./choice/search.ts";
import type { FittingCandidate, Problem } from "./choice/search.ts";
import { podResources } from "./node/pod.ts";
import { startupSeconds } from "./node/startup.ts";
import type { StartupInput } from "./node/startup.ts";
import type { Plan, Weights } from "./plan.ts";
import { trustFor } from "./intent/settings.ts";

function formatReason(problem: Problem, chosen: FittingCandidate): readonly string[] {
  if (problem.spec.quantization.weights !== "auto") return [];
  const formats = new Set(problem.model.candidates.map(({ format }) => format));
  if (formats.size === 1) return [];
  return [
    chosen.weights.format === "bf16"
      ? "BF16 weights: FP8 would not need fewer GPUs"
      : "FP8 weights: BF16 would need more GPUs",
  ];
}

function degreeReason(problem: Problem, { layout, limits, hardware }: FittingCandidate): string {
  const { parallelism, context } = problem.spec;
  const degrees =
    layout.nodes === 1
      ? `tensor ${layout.tensor}${layout.pipeline === 1 ? "" : ` x pipeline ${layout.pipeline}`}`
      : `tensor ${layout.tensor} inside each node and pipeline ${layout.pipeline} over ${counted(layout.nodes, "node")}`;
  if (parallelism.tensor !== undefined && parallelism.pipeline !== undefined) return `${degrees}: as asked`;
  const requests = `${counted(context.minConcurrency, "request")} of ${contextLength(limits.maxModelLen)} tokens`;
  return `${degrees}: the fewest ${hardware.gpu.label} that hold the weights and ${requests}`;
}

/** What the overhead rests on. */
function evidenceOf(problem: Problem, chosen: FittingCandidate): string {
  const { settings } = problem;
  const measured = memoryInput(problem, chosen, chosen.limits).measuredOverheadBytes;
  if (measured !== undefined) return "the overhead is what a running engine of these settings reported";
  if (settings.unknownVersion) return `vLLM ${settings.versionText} is newer than any that is known`;
  const { tensor, pipeline } = chosen.layout;
  const { evidence } = trustFor(
    settings,
    chosen.weights.format !== "bf16",
    tensor * pipeline,
    chosen.limits.maxNumSeqs,
  );
  return `the overhead of vLLM ${settings.versionText} is ${evidence === "measured" ? "measured" : "derived, not measured"}`;
}

/** What a declared FP8 KV cache would give, where the planner keeps BF16 by itself. */
function declaredKvCacheReason(problem: Problem, chosen: FittingCandidate): readonly string[] {
  const { spec, settings } = problem;
  const isOpen = spec.quantization.kvCache === "auto" && chosen.kvCache === "bf16";
  if (!isOpen || chosen.weights.declaresFp8KvCache !== true) return [];
  const declared = "the checkpoint declares an FP8 KV cache";
  const { architecture, label } = chosen.hardware.gpu;
  if (!supportsFp8KvCache(settings.version, architecture)) {
    return [`${declared}, which vLLM ${settings.versionText} does not do soundly on ${label}: it stays BF16`];
  }
  const { kvCacheTokens } = accountCandidate(problem, { ...chosen, kvCache: "fp8" }, chosen.limits);
  return [`${declared}: with quantization.kvCache fp8 it would hold ${thousands(kvCacheTokens)} tokens`];
}

function memoryReasons(problem: Problem, chosen: FittingCandidate): readonly string[] {
  const { settings, spec } = problem;
  return [
    ...(spec.quantization.kvCache === "auto" && chosen.kvCache === "fp8"
      ? ["FP8 KV cache: in BF16 it would not fit"]
      : []),
    ...declaredKvCacheReason(problem, chosen),
    ...(chosen.gpusWithFp8KvCache === undefined
      ? []
      : [`with quantization.kvCache fp8, ${chosen.gpusWithFp8KvCache} GPUs would do`]),
    ...(chosen.loweredFrom === undefined
      ? []
      : [`max-num-seqs lowered from ${chosen.loweredFrom} to ${chosen.limits.maxNumSeqs}, so that it fits`]),
    `${evidenceOf(problem, chosen)}: ${gib(chosen.account.marginBytes)} per GPU are left free for it`,
    ...settings.uncounted.map((flag) => `the memory that engine.args.${flag} takes is not counted`),
  ];
}

function hardwareReasons(problem: Problem, { hardware, layout }: FittingCandidate): readonly string[] {
  const { pool, gpu, allocatable } = hardware;
  const overPcie = gpu.nvlink === "none" && layout.tensor > 1;
  const overTcp = layout.nodes > 1 && pool.spec.fabric.type === "none";
  const unknown = allocatable.cpuMillicores === undefined || allocatable.memoryBytes === undefined;
  return [
    ...(problem.hardware.length > 1 ? [`pool ${pool.name}: the best of ${problem.hardware.length}`] : []),
    ...(overPcie ? [`tensor parallel goes over PCIe: the ${gpu.label} has no NVLink`] : []),
    ...(overTcp ? [`pool ${pool.name} has no fabric: stages talk over plain TCP`] : []),
    ...(unknown
      ? [`pool ${pool.name} names no known machine shape: CPU and memory are requested by rule of thumb`]
      : []),
  ];
}

function weightsOf(problem: Problem, chosen: FittingCandidate): Weights {
  const { weights, layout } = chosen;
  return {
    format: weights.format,
    ...(weights.quantMethod === undefined ? {} : { quantMethod: weights.quantMethod }),
    source: weights.source,
    totalBytes: weights.totalBytes,
    bytesPerNode: weightBytesOfNode(
      {
        architecture: problem.model.architecture,
        layout: weights.layout,
        tensor: layout.tensor,
        pipeline: layout.pipeline,
      },
      layout.pipeline / layout.nodes,
    ),
  };
}

/** What the phases of a start of this candidate follow from. */
export function startupInput(problem: Problem, { layout }: FittingCandidate, weights: Weights): StartupInput {
  return {
    source: weights.source.kind,
    totalBytes: weights.totalBytes,
    bytesPerNode: weights.bytesPerNode,
    layersPerStage: Math.max(...stageLayers(problem.model.architecture.layers, layout.pipeline)),
    eager: problem.settings.eager,
  };
}

/** Writes the chosen candidate down as a plan. */
export function buildPlan(problem: Problem, chosen: FittingCandidate): Plan {
  const { hardware, layout, limits, account } = chosen;
  const { pool } = hardware;
  const weights = weightsOf(problem, chosen);
  const startup = startupSeconds(startupInput(problem, chosen, weights));
  return {
    kind: "plan",
    model: problem.spec.model.name,
    pool: pool.name,
    gpu: pool.spec.gpu.product,
    fabric: pool.spec.fabric.type,
    tensor: layout.tensor,
    pipeline: layout.pipeline,
    nodesPerReplica: layout.nodes,
    gpusPerReplica: layout.nodes * layout.gpusPerPod,
    weights,
    kvCache: chosen.kvCache,
    engine: { type: problem.spec.engine.type, version: problem.settings.versionText },
    limits:
      problem.spec.context.kvCacheSize === "planned"
        ? { ...limits, kvCacheMemoryBytes: account.perGpu.kvCache }
        : limits,
    memoryPerGpu: account.perGpu,
    kvCacheTokens: account.kvCacheTokens,
    expectedKvCacheTokens: account.expectedKvCacheTokens,
    maxConcurrency: account.maxConcurrency,
    pod: podResources(hardware, layout, chosen.weights),
    nodeSelector: pool.spec.nodeSelector,
    tolerations: pool.spec.tolerations,
    startupSeconds: Object.values(startup).reduce((sum, seconds) => sum + seconds, 0),
    startup,
    because: [
      ...formatReason(problem, chosen),
      degreeReason(problem, chosen),
      ...memoryReasons(problem, chosen),
      ...hardwareReasons(problem, chosen),
      ...chosen.weights.notes,
    ],
  };
}
