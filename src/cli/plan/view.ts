// How a plan or a refusal reads on a terminal: the numbers that a person checks first, in the order of the questions.
import type { Alternative, MemoryPerGpu, Plan, Refusal } from "../../planning/plan.ts";
import { table, yamlOf } from "../output.ts";
import type { Style } from "../terminal.ts";

export type Styler = (style: Style, text: string) => string;

/** A plan in about ten lines. */
export function planView(title: string, plan: Plan, style: Styler): string {
  const { limits, memoryPerGpu, weights } = plan;
  const nodes = plan.nodesPerReplica === 1 ? "one node" : `${plan.nodesPerReplica} nodes`;
  const rows = [
    [
      "GPUs",
      `${plan.gpusPerReplica} x ${plan.gpu} on ${nodes} of pool ${plan.pool}: tensor parallel ${plan.tensor}, pipeline parallel ${plan.pipeline}`,
    ],
    ["Weights", `${weights.format.toUpperCase()}, ${gibibytes(weights.totalBytes)}, ${sourceOf(plan)}`],
    [
      "KV cache",
      `${plan.kvCache.toUpperCase()}, ${count(plan.kvCacheTokens)} tokens: ${plan.maxConcurrency.toFixed(2)} requests of ${count(limits.maxModelLen)} tokens at once`,
    ],
    ["Each GPU", memoryLine(memoryPerGpu)],
    [
      "Each pod",
      `${plan.pod.gpus} GPUs, ${plan.pod.cpuMillicores / 1000} CPUs, ${gibibytes(plan.pod.memoryBytes)} memory, ${gibibytes(plan.pod.ephemeralStorageBytes)} local disk`,
    ],
    [
      "Engine",
      `${plan.engine.type} ${plan.engine.version}, answers after about ${duration(plan.startupSeconds)}`,
    ],
  ];
  const because = plan.because.map((line) => `  ${style("dim", `- ${line}`)}\n`).join("");
  return `${style("bold", title)}: ${style("green", "fits")}\n${indent(table(rows))}${because}`;
}

/** A refusal, with each alternative as a command that makes it so. */
export function refusalView(
  object: { readonly title: string; readonly namespace: string; readonly name: string },
  refusal: Refusal,
  style: Styler,
): string {
  const verdict = refusal.waits ? style("yellow", "waits") : style("red", "refused");
  const head = `${style("bold", object.title)}: ${verdict} (${refusal.reason})\n  ${refusal.message}\n`;
  if (refusal.alternatives.length === 0) return head;
  const list = refusal.alternatives.map((alternative) => alternativeView(object, alternative, style));
  return `${head}  What would run:\n${list.join("")}`;
}

function alternativeView(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { summary, patch }: Alternative,
  style: Styler,
): string {
  const snippet = yamlOf({ spec: patch }).trimEnd().replaceAll(/^/gm, "      ");
  return `  - ${summary}\n${style(
    "cyan",
    `    kubectl patch llamadeployment ${name} -n ${namespace} --type merge --patch '\n${snippet}'`,
  )}\n`;
}

function memoryLine(memory: MemoryPerGpu): string {
  const parts = [
    ["weights", memory.weights],
    ["KV cache", memory.kvCache],
    ["activations", memory.activations],
    ["graphs", memory.graphs],
    ["communication", memory.communication],
    ["reserved", memory.reserved],
  ] as const;
  const listed = parts
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${(bytes / 2 ** 30).toFixed(1)}`);
  return `${gibibytes(memory.total)}: ${listed.join(", ")}`;
}

function sourceOf({ weights: { source } }: Plan): string {
  switch (source.kind) {
    case "huggingFace":
      return `${source.repository}@${source.revision.slice(0, 12)}${source.gated ? " (gated: needs a token)" : ""}`;
    case "persistentVolumeClaim":
      return `volume ${source.claimName}${source.path === undefined ? "" : `/${source.path}`}`;
  }
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

const count = (value: number): string => value.toLocaleString("en-US");

/** `45 s`, `6 min`. */
function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
