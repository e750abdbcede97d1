// What `--speculative-config` and the LoRA flags of a spec mean for memory. The engine reads the same JSON.
import { findArchitecture } from "../../catalog/relatives.ts";
import type { LoraSlots, Speculation } from "../memory/additional.ts";

/** Methods that propose from the text itself: no weights. */
const withoutDraft: ReadonlySet<string> = new Set(["ngram", "ngram_gpu", "suffix"]);

/** What a flag says, or what is wrong with it; `uncounted` where its memory is not known. */
export type ReadSpeculation =
  | { readonly kind: "counted"; readonly speculation: Speculation }
  | { readonly kind: "uncounted" }
  | { readonly kind: "problem"; readonly problem: string };

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads `engine.args.speculative-config`. */
export function readSpeculation(text: string): ReadSpeculation {
  const flag = "engine.args.speculative-config";
  const config = parseObject(text);
  if (config === undefined)
    return { kind: "problem", problem: `${flag} must be a JSON object, not "${text}"` };
  const { method, model, num_speculative_tokens: tokens } = config;
  if (typeof tokens !== "number" || !Number.isInteger(tokens) || tokens < 1 || tokens > 64) {
    return { kind: "problem", problem: `${flag} needs num_speculative_tokens, a whole number from 1 to 64` };
  }
  const named = typeof method === "string" ? method : "";
  if (withoutDraft.has(named)) {
    return { kind: "counted", speculation: { tokens, draft: { kind: "none" } } };
  }
  const repository = typeof model === "string" ? model : "";
  if (/eagle/i.test(named) || /eagle/i.test(repository)) {
    return { kind: "counted", speculation: { tokens, draft: { kind: "eagle" } } };
  }
  const architecture = findArchitecture(repository.split("/").at(-1) ?? "");
  if (architecture === undefined) return { kind: "uncounted" };
  return { kind: "counted", speculation: { tokens, draft: { kind: "model", architecture } } };
}

/** vLLM's defaults of `--max-loras` and `--max-lora-rank`. Source: vllm/config/lora.py. */
const loraDefaults = { slots: 1, rank: 16 } as const;

/** The LoRA slots of a command line, where adapters are on. */
export function loraSlots(
  enabled: boolean,
  slots: number | undefined,
  rank: number | undefined,
): LoraSlots | undefined {
  if (!enabled) return undefined;
  return { slots: slots ?? loraDefaults.slots, rank: rank ?? loraDefaults.rank };
}
