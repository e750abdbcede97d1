// One planned LlamaDeployment with all that is said of it: the plan or refusal, the engine's command lines, the bounds
// of its speed, and on request each term of its memory.
import type { MeasuredOverhead, LlamaDeployment } from "@llama-operator/llama/api";
import {
  type Term,
  decodeBound,
  prefillTokensPerSecond,
  type PerformanceInput,
  type Plan,
  type PoolFacts,
  type Refusal,
  type Details,
} from "@llama-operator/llama/planning";
import { renderRevision, type RevisionData } from "@llama-operator/operator/workloads";
import { evaluateInDetail } from "@llama-operator/llama";

/** Bounds of speed of one replica: tokens a second, at most. */
export interface Speed {
  /** Tokens that each request is taken to hold, prompt and answer. */
  readonly requestTokens: number;
  /** Answer tokens a second of a request that is alone. */
  readonly alone: number;
  /** Requests of that size that the KV cache holds and the engine takes at once. */
  readonly atOnce: number;
  /** Answer tokens a second of all of them. */
  readonly together: number;
  /** Prompt tokens a second. */
  readonly prompts: number;
}

/** The command line of each rank. */
export interface EngineCommand {
  readonly role: "serving" | "worker";
  readonly image: string;
  readonly command: readonly string[];
}

export interface Item {
  /** File and document, or the flags. */
  readonly source: string;
  readonly namespace: string;
  readonly name: string;
  readonly result: Plan | Refusal;
  readonly commands?: readonly EngineCommand[];
  readonly speed?: Speed;
  readonly startup?: Details["startup"];
  /** With `--explain`. */
  readonly terms?: readonly Term[];
}

export interface Asked {
  readonly source: string;
  readonly object: LlamaDeployment;
}

/** What a request of a chat holds, where nobody says: prompt and answer of a thousand tokens each. */
const usualRequestTokens = 2048;

export function speedOf(plan: Plan, performance: PerformanceInput): Speed {
  const requestTokens = Math.min(usualRequestTokens, plan.limits.maxModelLen);
  const room = Math.floor(plan.kvCacheTokens / requestTokens);
  const atOnce = Math.max(1, Math.min(plan.limits.maxNumSeqs, room));
  return {
    requestTokens,
    alone: decodeBound(performance, 1, requestTokens).tokensPerSecond,
    atOnce,
    together: decodeBound(performance, atOnce, requestTokens).tokensPerSecond,
    prompts: prefillTokensPerSecond(performance, requestTokens),
  };
}

function commandsOf({ templates }: RevisionData): readonly EngineCommand[] {
  return (["serving", "worker"] as const).flatMap((role) => {
    const container = templates[role]?.spec?.containers[0];
    if (container === undefined) return [];
    const command = [...(container.command ?? []), ...(container.args ?? [])];
    return [{ role, image: container.image ?? "", command }];
  });
}

/** Plans one LlamaDeployment and says all of it. */
export function planItem(
  { source, object }: Asked,
  pools: readonly PoolFacts[],
  measuredOverheads: readonly MeasuredOverhead[],
  explain: boolean,
): Item {
  const { name, namespace = "default" } = object.metadata;
  const { spec } = object;
  const details = evaluateInDetail({ spec, pools, measuredOverheads });
  const subject = { source, namespace, name };
  if ("kind" in details) return { ...subject, result: details };
  const { plan, performance, startup, terms } = details;
  const owner = { namespace, name, uid: object.metadata.uid ?? "" };
  return {
    ...subject,
    result: plan,
    commands: commandsOf(renderRevision({ owner, spec, plan })),
    speed: speedOf(plan, performance),
    startup,
    ...(explain ? { terms } : {}),
  };
}
