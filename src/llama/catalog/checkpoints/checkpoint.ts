// What is known of one published checkpoint, and how the makers of checkpoints differ: the tables beside this file
// only name repositories and revisions.
import type { GpuArchitecture } from "../gpus.ts";
import type { Architecture } from "../models.ts";
import {
  bf16Layout,
  fp8DynamicLayout,
  fp8ModeloptLayout,
  fp8StaticLayout,
  int8Layout,
} from "../weight-bytes.ts";
import type { WeightFormat, WeightLayout } from "../weight-bytes.ts";

export type QuantMethod = "compressed-tensors" | "modelopt" | "fbgemm_fp8" | "awq" | "gptq";

/** One repository on the Hugging Face hub. */
export interface Checkpoint {
  readonly repository: string;
  /** Full commit hash; absent where none is confirmed, and then the spec must give one. */
  readonly revision?: string;
  readonly format: WeightFormat;
  readonly layout: WeightLayout;
  /** `quantization_config.quant_method`, which the engine finds by itself; absent for BF16. */
  readonly quantMethod?: QuantMethod;
  /** Needs a licence click and a token. */
  readonly gated: boolean;
  /** The checkpoint declares an FP8 KV cache, which `--kv-cache-dtype auto` follows. */
  readonly declaresFp8KvCache?: boolean;
  /** GPUs whose kernels run it; absent where all of the catalog do. */
  readonly architectures?: readonly GpuArchitecture[];
  /** Refused by the engine without `--allow-deprecated-quantization`: never a default. */
  readonly deprecated?: boolean;
  /** Where revisions of one repository differ in their architecture. */
  readonly revisions?: RevisionHistory;
}

/** Revisions of a repository that hold another architecture than the model's. */
export interface RevisionHistory {
  /** What differs, by full commit hash. */
  readonly other: Readonly<Record<string, Partial<Architecture>>>;
  /** What a revision may hold of which nothing is known: the more memory, the safer. */
  readonly possible: Partial<Architecture>;
  /** For people: what to look at in an unknown revision's config.json. */
  readonly note: string;
}

/** Meta's own, all gated. */
export const bf16 = (repository: string, revision: string, revisions?: RevisionHistory): Checkpoint => ({
  repository,
  revision,
  format: "bf16",
  layout: bf16Layout,
  gated: true,
  ...(revisions === undefined ? {} : { revisions }),
});

/** NVIDIA's FP8, made with ModelOpt. */
export const nvidiaFp8 = (
  repository: string,
  revision: string,
  facts: { readonly declaresFp8KvCache?: boolean } = {},
): Checkpoint => ({
  repository,
  revision,
  format: "fp8",
  layout: fp8ModeloptLayout,
  quantMethod: "modelopt",
  gated: false,
  ...facts,
});

interface Community {
  readonly repository: string;
  readonly revision?: string;
  readonly layout: WeightLayout;
  readonly revisions?: RevisionHistory;
}

/** Red Hat's FP8, formerly Neural Magic's; on GPUs without FP8 arithmetic the engine runs it weight-only. */
export const redHatFp8 = (
  facts: Omit<Community, "layout"> & { readonly layout?: WeightLayout },
): Checkpoint => ({
  format: "fp8",
  layout: facts.repository.endsWith("-dynamic") ? fp8DynamicLayout : fp8StaticLayout,
  quantMethod: "compressed-tensors",
  gated: false,
  ...facts,
});

/** Red Hat's INT8 weights and activations, for GPUs without FP8. AMD's kernels are not known to run it. */
export const redHatInt8 = (
  facts: Omit<Community, "layout"> & { readonly layout?: WeightLayout },
): Checkpoint => ({
  format: "int8",
  layout: int8Layout,
  quantMethod: "compressed-tensors",
  gated: false,
  architectures: ["ampere", "ada", "hopper", "blackwell"],
  ...facts,
});

/** INT4 weights with 16-bit arithmetic; the method says who packed them. */
export const int4 = (quantMethod: "awq" | "gptq" | "compressed-tensors", facts: Community): Checkpoint => ({
  format: "int4",
  quantMethod,
  gated: false,
  ...facts,
});
