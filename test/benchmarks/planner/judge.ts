// A row beside what was planned for it: by how much they differ, and whether a promise was broken.
import type { LogRow } from "./log-row.ts";
import { predict } from "./predict.ts";

/** A row, what was planned, and what came of it. */
export interface Judged {
  readonly id: string;
  readonly regime: string;
  readonly group: string;
  readonly predictedTokens: number;
  /** What the plan promises: without its margin. */
  readonly atLeastTokens: number;
  /** Absent where the engine stated none. */
  readonly actualTokens: number | null;
  readonly bytesPerToken: number;
  /** (predicted - actual) / actual. */
  readonly error: number | null;
  readonly errorGibPerGpu: number | null;
  readonly promised: boolean;
  readonly refused: boolean;
}

/** Tokens as logged; where a log states only bytes, what they hold. */
function loggedTokens({ kv_tokens: tokens, kv_gib: gib }: LogRow, bytesPerToken: number): number | null {
  if (tokens !== undefined) return tokens;
  return gib === undefined ? null : Math.floor(Math.max(0, gib * 2 ** 30) / bytesPerToken);
}

/** Plans a row and holds the plan against what its engine said. */
export function judge(row: LogRow): Judged {
  const { regime, group, tokens, atLeast, bytesPerToken, promised } = predict(row);
  const actual = loggedTokens(row, bytesPerToken);
  const hasTokens = actual !== null && actual > 0;
  return {
    id: row.id,
    regime,
    group,
    predictedTokens: tokens,
    atLeastTokens: atLeast,
    actualTokens: actual,
    bytesPerToken,
    error: hasTokens ? (tokens - actual) / actual : null,
    errorGibPerGpu: hasTokens ? ((tokens - actual) * bytesPerToken) / 2 ** 30 : null,
    promised,
    // What the engine had no room for: fewer tokens than one request, or none at all.
    refused: actual === null || actual < row.max_model_len,
  };
}

/** Whether the plan promises more than the engine had. */
export function promisesTooMuch({ atLeastTokens, actualTokens }: Judged): boolean {
  return actualTokens !== null && actualTokens > 0 && atLeastTokens > actualTokens;
}
