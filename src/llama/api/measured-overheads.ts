// The file of `--measured-overheads`: what running engines were found to take besides weights and KV cache. Written by
// `llama-operator overheads`, read by `run` and `plan`; the chart mounts it from its values.
import { z } from "zod";
import { engineType } from "./engine-spec.ts";
import { int32, largeCount, text } from "./schema.ts";
import { type ManifestProblem, apiServerMessage, manifestProblems } from "./validation-messages.ts";

const measuredOverhead = z.strictObject({
  engine: engineType.describe("Engine that was measured."),
  version: z
    .string()
    .max(32)
    .regex(/^[0-9]+\.[0-9]+\.[0-9]+$/)
    .describe("Its version."),
  gpu: text(63).describe("GPU product, as GpuPools name it."),
  tensor: int32(1, 64).describe("Tensor parallel degree."),
  pipeline: int32(1, 64).default(1).describe("Pipeline parallel degree."),
  model: text(253).describe("Model as `spec.model.name` has it; stands for every catalog model of its size."),
  weights: z.enum(["bf16", "fp8", "int8", "int4"]).describe("Format of the weights."),
  maxNumSeqs: int32(1, 1_000_000).describe("Sequences in one step."),
  maxNumBatchedTokens: int32(1, 16_777_216).describe("Tokens of one step."),
  overheadBytes: largeCount.describe(
    "Bytes of each GPU's budget that are neither weights nor KV cache, on the stage with the smallest cache.",
  ),
});

const measuredOverheads = z.array(measuredOverhead).max(1000);

/** One measurement: what start-up took of a GPU at these settings. */
export type MeasuredOverhead = z.output<typeof measuredOverhead>;

/** The measurements of a file, or all that is wrong with it. */
export type ParsedOverheads =
  | { readonly ok: true; readonly overheads: readonly MeasuredOverhead[] }
  | { readonly ok: false; readonly problems: readonly ManifestProblem[] };

/** Reads the list as YAML or JSON gave it; an empty file holds none. */
export function parseMeasuredOverheads(value: unknown): ParsedOverheads {
  const result = measuredOverheads.safeParse(value ?? [], { error: apiServerMessage });
  return result.success
    ? { ok: true, overheads: result.data }
    : { ok: false, problems: manifestProblems(result.error.issues) };
}
