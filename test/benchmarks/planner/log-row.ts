// A start-up log as a row: names and settings of the start, and what the engine said of its KV cache.
import { parse } from "csv-parse/sync";
import { z } from "zod";

const number = z.string().transform((text, context) => {
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  context.addIssue(`not a number: ${text}`);
  return z.NEVER;
});
const absent = z.literal("").transform(() => undefined);
/** Columns that not every file has may be absent as a whole. */
const optional = z.union([absent, number]).optional();

const yes = z.union([absent, z.literal("yes").transform(() => true)]).optional();

const row = z.object({
  id: z.string().min(1),
  model: z.string().min(1),
  checkpoint: z.string(),
  gpu: z.string(),
  /** As logged, in GiB. */
  visible_gib: optional,
  tensor_parallel: number,
  pipeline_parallel: number,
  max_model_len: number,
  gpu_memory_utilization: optional,
  kv_dtype: z.string(),
  engine: z.string(),
  engine_version: z.string(),
  max_num_seqs: optional,
  /** Settings that decide a term; empty or absent where the source is silent: then the version's default, and cold. */
  max_num_batched_tokens: optional,
  enforce_eager: yes,
  flashinfer_sampler: yes,
  max_cudagraph_capture_size: optional,
  compile_cache: z.union([absent, z.enum(["cold", "warm"])]).optional(),
  /** Results, never planned from: what the engine reported of its KV cache, per GPU and of the whole replica. */
  kv_gib: optional,
  kv_tokens: optional,
});

export type LogRow = z.output<typeof row>;

/** Reads rows in the form of kv-cache-fit.csv; lines that begin with # are comments. @throws on a malformed row */
export function parseLogRows(text: string): readonly LogRow[] {
  const records: unknown[] = parse(text, {
    columns: true,
    comment: "#",
    comment_no_infix: true,
    relax_quotes: true,
    trim: true,
  });
  return records.map((record, index) => {
    const parsed = row.safeParse(record);
    if (parsed.success) return parsed.data;
    throw new Error(`row ${index + 1}: ${z.prettifyError(parsed.error)}`);
  });
}
