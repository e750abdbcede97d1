// A plan in words: one line for a demo or an event, and a table for the command line.
import { findGpu } from "../../catalog/gpus.ts";
import { findModel } from "../../catalog/models.ts";
import { contextLength, counted, formatName, gib, thousands } from "./format.ts";
import type { Plan } from "../plan.ts";

const gpuLabel = (plan: Plan): string => findGpu(plan.gpu)?.label ?? plan.gpu;

/** `8 x H100 80GB on one node (tensor 8)`, `16 x H100 80GB on two nodes (tensor 8 x pipeline 2)`. */
export function describeLayout(plan: Plan): string {
  const gpus = `${plan.gpusPerReplica} x ${gpuLabel(plan)}`;
  const nodes = ["one node", "two nodes", "three nodes", "four nodes"][plan.nodesPerReplica - 1];
  const degrees =
    plan.pipeline === 1 ? `tensor ${plan.tensor}` : `tensor ${plan.tensor} x pipeline ${plan.pipeline}`;
  return `${gpus} on ${nodes ?? counted(plan.nodesPerReplica, "node")} (${degrees})`;
}

function describeConcurrency(plan: Plan): string {
  const requests = (Math.floor(plan.maxConcurrency * 10) / 10).toFixed(1);
  return `${requests} ${requests === "1.0" ? "request" : "requests"} of ${contextLength(plan.limits.maxModelLen)} at once`;
}

/** One line: what runs, on what, and what that gives. */
export function summarize(plan: Plan): string {
  const model = findModel(plan.model)?.size ?? plan.model;
  const { weights, kvCache } = plan.memoryPerGpu;
  return [
    `${model} ${formatName(plan.weights.format)}`,
    describeLayout(plan),
    `${gib(weights)} weights + ${gib(kvCache)} KV per GPU`,
    `${thousands(plan.kvCacheTokens)} tokens, ${describeConcurrency(plan)}`,
  ].join(" · ");
}

function describeSource({ source }: Plan["weights"]): string {
  switch (source.kind) {
    case "huggingFace":
      return `${source.repository} @ ${source.revision.slice(0, 12)}`;
    case "persistentVolumeClaim":
      return `volume ${source.claimName}${source.path === undefined ? "" : `, ${source.path}`}`;
    default:
      return source satisfies never;
  }
}

const memoryParts = [
  ["weights", "weights"],
  ["kvCache", "KV cache"],
  ["activations", "activations and sampler"],
  ["graphs", "CUDA graphs"],
  ["communication", "communication"],
  ["additional", "LoRA and speculation"],
  ["margin", "margin of the planner"],
  ["reserved", "outside the engine's budget"],
  ["total", "total"],
] as const;

function memoryTable(plan: Plan): readonly string[] {
  const { memoryPerGpu } = plan;
  const shown = memoryParts.filter(([part]) => part !== "additional" || memoryPerGpu.additional > 0);
  return shown.map(([part, name]) => {
    const share = `${Math.round((memoryPerGpu[part] * 100) / memoryPerGpu.total)} %`;
    return `  ${name.padEnd(32)}${gib(memoryPerGpu[part]).padStart(9)}${share.padStart(7)}`;
  });
}

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

function describeTokens(plan: Plan): string {
  const expected = plan.expectedKvCacheTokens - plan.kvCacheTokens;
  const more = expected > 0 ? `, ${thousands(plan.expectedKvCacheTokens)} expected` : "";
  return `${thousands(plan.kvCacheTokens)} tokens in ${formatName(plan.kvCache)} at least${more}; ${describeConcurrency(plan)}`;
}

/** What runs, on what, and what that gives: a line each. */
export function explainSummary(plan: Plan): string {
  const { weights, limits } = plan;
  const rows: readonly (readonly [string, string])[] = [
    ["Model", findModel(plan.model)?.label ?? plan.model],
    ["Weights", `${formatName(weights.format)}, ${gib(weights.totalBytes)}, from ${describeSource(weights)}`],
    ["Layout", `${describeLayout(plan)}, pool ${plan.pool}`],
    ["Engine", `${plan.engine.type} ${plan.engine.version}`],
    [
      "Limits",
      `${thousands(limits.maxModelLen)} tokens a request, ${thousands(limits.maxNumSeqs)} sequences, ${thousands(limits.maxNumBatchedTokens)} tokens a step, ${limits.gpuMemoryUtilization} of the GPU`,
    ],
    ["KV cache", describeTokens(plan)],
    ["Start-up", `about ${duration(plan.startupSeconds)} with nothing cached`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(10)}${value}`).join("\n");
}

/** Where the memory of the fullest GPU goes. */
export function explainMemory(plan: Plan): string {
  return ["Memory of one GPU", ...memoryTable(plan)].join("\n");
}

/** Why it is so. */
export function explainReasons(plan: Plan): string {
  return ["Why", ...plan.because.map((reason) => `  ${reason}`)].join("\n");
}
