// The published checkpoints of each model, pinned: a revision is what makes a plan's numbers true tomorrow.
// A repository whose commit could not be confirmed from a public source has none here, and must be pinned by the spec.
import type { GpuArchitecture } from "./gpus.ts";
import { bf16Layout, fbgemmLayout, fp8Layout } from "./weight-bytes.ts";
import type { WeightFormat, WeightLayout } from "./weight-bytes.ts";

export type QuantMethod = "compressed-tensors" | "modelopt" | "fbgemm_fp8";

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
}

const bf16 = (repository: string, revision: string): Checkpoint => ({
  repository,
  revision,
  format: "bf16",
  layout: bf16Layout,
  gated: true,
});

/** ModelOpt's FP8 kernels need FP8 arithmetic: capability 8.9 and later. */
const nvidiaFp8 = (
  repository: string,
  revision: string,
  facts: { readonly declaresFp8KvCache?: boolean } = {},
): Checkpoint => ({
  repository,
  revision,
  format: "fp8",
  layout: fp8Layout,
  quantMethod: "modelopt",
  gated: false,
  architectures: ["ada", "hopper", "blackwell"],
  ...facts,
});

/** compressed-tensors FP8; on GPUs without FP8 arithmetic the engine runs it weight-only. */
const redHatFp8 = (repository: string, revision?: string): Checkpoint => ({
  repository,
  ...(revision === undefined ? {} : { revision }),
  format: "fp8",
  layout: fp8Layout,
  quantMethod: "compressed-tensors",
  gated: false,
});

/**
 * Checkpoints by model; of one format the first that is pinned and runs on the GPU is the default.
 *
 * Revisions were confirmed in public snapshots of the hub's cache and in pinned downloads, each in several
 * repositories unless said: 405B-Instruct in mlcommons/inference (and as 126 layers, 128 heads, 8 key-value heads);
 * 405B base with its 405,853,388,800 parameters; NVIDIA's 405B FP8 in NVIDIA's Megatron Bridge guide with its size of
 * 410.1 GB, which only 8 key-value heads give; NVIDIA's 70B FP8 and Red Hat's 3.3 70B FP8 in one list of Dynamo's
 * test cache.
 */
const checkpointsByModel: Readonly<Record<string, readonly Checkpoint[]>> = {
  "llama-3.1-8b": [bf16("meta-llama/Llama-3.1-8B", "d04e592bb4f6aa9cfee91e2e20afa771667e1d4b")],
  "llama-3.1-8b-instruct": [
    bf16("meta-llama/Llama-3.1-8B-Instruct", "0e9e39f249a16976918f6564b8830bc894c89659"),
    redHatFp8("RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8-dynamic"),
    redHatFp8("RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8"),
    nvidiaFp8("nvidia/Llama-3.1-8B-Instruct-FP8", "42d9515ebd69eea3a87351d079c671c3c5ff0a31", {
      declaresFp8KvCache: true,
    }),
  ],
  "llama-3.1-70b": [bf16("meta-llama/Llama-3.1-70B", "349b2ddb53ce8f2849a6c168a81980ab25258dac")],
  "llama-3.1-70b-instruct": [
    bf16("meta-llama/Llama-3.1-70B-Instruct", "1605565b47bb9346c5515c34102e054115b4f98b"),
    redHatFp8("RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8-dynamic"),
    redHatFp8("RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8"),
    nvidiaFp8("nvidia/Llama-3.1-70B-Instruct-FP8", "07a08be3d8a8f5254c2aba375b79743bca8fd491", {
      declaresFp8KvCache: true,
    }),
  ],
  "llama-3.1-405b": [bf16("meta-llama/Llama-3.1-405B", "b906e4dc842aa489c962f9db26554dcfdde901fe")],
  "llama-3.1-405b-instruct": [
    bf16("meta-llama/Llama-3.1-405B-Instruct", "be673f326cab4cd22ccfef76109faf68e41aa5f1"),
    redHatFp8("RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8-dynamic"),
    redHatFp8("RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8"),
    nvidiaFp8("nvidia/Llama-3.1-405B-Instruct-FP8", "a0a0bc4e698fbbe4eb184bbd62067ff195a65a39"),
    {
      repository: "meta-llama/Llama-3.1-405B-Instruct-FP8",
      revision: "64a54b704768dfd589a3e4ac05d546052f67f4fd",
      format: "fp8",
      layout: fbgemmLayout,
      quantMethod: "fbgemm_fp8",
      gated: true,
      deprecated: true,
    },
  ],
  "llama-3.2-1b-instruct": [
    bf16("meta-llama/Llama-3.2-1B-Instruct", "9213176726f574b556790deb65791e0c5aa438b6"),
  ],
  "llama-3.2-3b-instruct": [
    bf16("meta-llama/Llama-3.2-3B-Instruct", "0cb88a4f764b7a12671c53f0838cd831a0843b95"),
  ],
  "llama-3.3-70b-instruct": [
    bf16("meta-llama/Llama-3.3-70B-Instruct", "6f6073b423013f6a7d4d9f39144961bfbfbc386b"),
    redHatFp8("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "ddb4128556dfcff99e0c41aee159ea6c3e655dcd"),
    nvidiaFp8("nvidia/Llama-3.3-70B-Instruct-FP8", "fde04ee76a27704c88f569542ef023b57d4d0362", {
      declaresFp8KvCache: true,
    }),
  ],
  "llama-guard-3-8b": [bf16("meta-llama/Llama-Guard-3-8B", "7327bd9f6efbbe6101dc6cc4736302b3cbb6e425")],
  "llama-guard-3-1b": [bf16("meta-llama/Llama-Guard-3-1B", "acf7aafa60f0410f8f42b1fa35e077d705892029")],
};

/** The published checkpoints of a model of the catalog; none for other names. */
export function checkpointsOf(modelName: string): readonly Checkpoint[] {
  return checkpointsByModel[modelName] ?? [];
}
