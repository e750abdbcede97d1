// `plan --compare`: models side by side for one intent, so that large or small is chosen with numbers.
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import { type PoolFacts, describeLayout, contextLength, thousands } from "@llama-operator/llama/planning";
import { table } from "../output.ts";
import { deploymentOf } from "./intent.ts";
import type { IntentOptions } from "./intent.ts";
import { planItem } from "./item.ts";
import type { Item } from "./item.ts";

/** Set side by side where nobody names any: the three sizes. */
const usualModels = ["llama-3.1-8b-instruct", "llama-3.3-70b-instruct", "llama-3.1-405b-instruct"];

/** A model in one format, planned for the intent. */
export interface Compared extends Item {
  readonly model: string;
  readonly weights: string;
}

/** Plans each model in each format; a format or model that the intent names is the only one. */
export function compareModels(
  options: IntentOptions,
  names: readonly string[],
  pools: readonly PoolFacts[],
  measuredOverheads: readonly MeasuredOverhead[],
): readonly Compared[] {
  const models = names.length > 0 ? names : usualModels;
  const formats =
    options.weights === undefined || options.weights === "auto" ? ["bf16", "fp8"] : [options.weights];
  return models.flatMap((model) =>
    formats.map((weights) => {
      const object = deploymentOf({ ...options, weights }, model);
      return { model, weights, ...planItem({ source: "flags", object }, pools, measuredOverheads, false) };
    }),
  );
}

const perSecond = (value: number): string => thousands(Math.floor(value));

function rowOf({ model, weights, result, speed }: Compared): readonly string[] {
  const format = weights.toUpperCase();
  if (result.kind === "refusal" || speed === undefined) {
    const nearest = result.kind === "refusal" ? result.alternatives[0]?.summary : undefined;
    const reason = result.kind === "refusal" ? result.reason : "";
    return [
      model,
      format,
      "-",
      "-",
      "-",
      "-",
      "-",
      "-",
      `${reason}${nearest === undefined ? "" : `; ${nearest}`}`,
    ];
  }
  const gpus = result.gpusPerReplica;
  return [
    model,
    format,
    String(gpus),
    thousands(result.kvCacheTokens),
    result.maxConcurrency.toFixed(1),
    perSecond(speed.alone),
    perSecond(speed.together / gpus),
    perSecond(speed.prompts / gpus),
    `${describeLayout(result)}; ready in ${Math.ceil(result.startupSeconds / 60)} min`,
  ];
}

/** The comparison as a table; speeds are bounds. */
export function compareView(rows: readonly Compared[]): string {
  const planned = rows.flatMap(({ result }) => (result.kind === "plan" ? [result] : []));
  const [first] = planned;
  const tokens = rows.find(({ speed }) => speed !== undefined)?.speed?.requestTokens ?? 0;
  const compared = table([
    [
      "MODEL",
      "WEIGHTS",
      "GPUS",
      "KV TOKENS",
      "AT ONCE",
      "TOK/S ALONE",
      "TOK/S/GPU",
      "PROMPT TOK/S/GPU",
      "LAYOUT",
    ],
    ...rows.map(rowOf),
  ]);
  // Without a plan there is no number to explain.
  if (first === undefined) return compared;
  return [
    compared,
    `AT ONCE: requests of ${contextLength(first.limits.maxModelLen)} that the KV cache holds. Speeds are upper bounds from bandwidth and arithmetic, for requests\n`,
    `of ${thousands(tokens)} tokens: alone, and as many at once as fit, for each GPU of the replica. They rank; they promise nothing.\n`,
  ].join("");
}
