// What is known of SGLang: the share of a GPU that its weights and KV pool may take where its command line does not say, by version.
// Source: python/sglang/srt/server_args.py at the versions named.
import { compareVersions } from "../../../src/llama/catalog/engines/version.ts";
import type { EngineVersion } from "../../../src/llama/catalog/engines/version.ts";

/** Oldest and newest versions whose rules were read. */
export const oldestKnownSglang: EngineVersion = [0, 3, 0];
export const newestKnownSglang: EngineVersion = [0, 5, 23];

/** First version that reserves by the size of the card. */
const firstByCard: EngineVersion = [0, 4, 8];
/** First version that reserves by what it starts with (PR 10975). */
const firstByStart: EngineVersion = [0, 5, 4];

const fixedFraction = 0.88;

/** What decides `--mem-fraction-static` where it is not set. */
export interface SglangFractionInput {
  readonly version: EngineVersion;
  /** MiB of the card, as nvidia-smi shows it. */
  readonly capacityMib: number;
  readonly tensor: number;
  readonly pipeline: number;
}

/** `--chunked-prefill-size` by card: below 35 GiB, below 160 GiB, all others. */
function chunkedPrefillTokens(capacityGib: number): number {
  if (capacityGib < 35) return 2048;
  return capacityGib < 160 ? 8192 : 16_384;
}

/** `--cuda-graph-max-bs` by card, with fewer than four ranks and with more. */
function largestGraph(capacityGib: number, tensor: number): number {
  if (capacityGib < 35) return tensor < 4 ? 24 : 80;
  if (capacityGib < 60) return tensor < 4 ? 32 : 160;
  return tensor < 4 ? 256 : 512;
}

function reservedByCardMib(capacityGib: number, ranks: number): number {
  if (capacityGib < 35) return (2.8 + ranks / 10) * 1024;
  if (capacityGib < 90) return (9.5 + ranks / 2) * 1024;
  return capacityGib < 160 ? (12 + ranks / 2) * 1024 : 32 * 1024;
}

function reservedByStartMib(capacityGib: number, tensor: number, ranks: number): number {
  const chunk = Math.max(chunkedPrefillTokens(capacityGib), 2048);
  const reserved = 512 + 1.5 * chunk + 2 * largestGraph(capacityGib, tensor) + (ranks / 8) * 1024;
  return capacityGib > 60 ? Math.max(reserved, 10 * 1024) : reserved;
}

/** `--mem-fraction-static`: 1 - reserved / capacity, to three digits; 0.88 before 0.4.8. */
export function sglangMemoryFraction(input: SglangFractionInput): number {
  const { version, capacityMib, tensor, pipeline } = input;
  if (compareVersions(version, firstByCard) < 0) return fixedFraction;
  const capacityGib = capacityMib / 1024;
  const ranks = tensor * pipeline;
  const reserved =
    compareVersions(version, firstByStart) < 0
      ? reservedByCardMib(capacityGib, ranks)
      : reservedByStartMib(capacityGib, tensor, ranks);
  return Math.round(((capacityMib - reserved) / capacityMib) * 1000) / 1000;
}
