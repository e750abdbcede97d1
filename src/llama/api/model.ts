// `spec.model`: which model, where its weights come from, and its facts where the catalog lacks them.
import { z } from "zod";
import { int32, largeCount, objectName, patternText, secretKeyReference, withRules } from "./schema.ts";

const huggingFaceSource = withRules(
  z.strictObject({
    repository: z
      .string()
      .min(3)
      .max(193)
      .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]*\/[A-Za-z0-9][-A-Za-z0-9_.]*$/)
      .exactOptional()
      .describe(
        "Repository on the Hugging Face hub, such as `meta-llama/Llama-3.1-8B-Instruct`; the catalog's when absent.",
      ),
    revision: patternText(
      40,
      /^[0-9a-f]{40}$/,
      "must be a full commit hash (40 hex digits): branches and tags move",
    )
      .exactOptional()
      .describe("Full commit hash to serve. Branches and tags move, so they are refused."),
    tokenSecretRef: secretKeyReference
      .exactOptional()
      .describe("Secret key with a Hugging Face token; needed for gated repositories."),
  }),
  [
    {
      cel: "has(self.repository) == has(self.revision)",
      holds: (self) => (self.repository === undefined) === (self.revision === undefined),
      message: "set repository and revision together, or neither to use the catalog's",
    },
  ],
);

const pathInVolume = withRules(z.string().min(1).max(1024), [
  {
    cel: "!self.startsWith('/') && !self.split('/').exists(part, part == '..')",
    holds: (self) => !self.startsWith("/") && !self.split("/").includes(".."),
    message: "must stay inside the volume: no leading slash, no ..",
  },
]);

const persistentVolumeClaimSource = z.strictObject({
  claimName: objectName.describe("PersistentVolumeClaim with the weights, in the same namespace."),
  path: pathInVolume
    .exactOptional()
    .describe("Folder of the checkpoint inside the volume; the volume's root when absent."),
});

const modelSource = withRules(
  z.strictObject({
    huggingFace: huggingFaceSource
      .exactOptional()
      .describe("A repository on the Hugging Face hub; empty, or with a token only, it is the catalog's."),
    persistentVolumeClaim: persistentVolumeClaimSource
      .exactOptional()
      .describe("A volume that already holds the weights."),
  }),
  [
    {
      cel: "has(self.huggingFace) != has(self.persistentVolumeClaim)",
      holds: (self) => (self.huggingFace === undefined) !== (self.persistentVolumeClaim === undefined),
      message: "set exactly one of huggingFace and persistentVolumeClaim",
    },
  ],
);

const weightBytes = z.strictObject({
  layers: largeCount
    .min(1)
    .describe(
      "All decoder layers with their norms and quantisation scales; and the final norm, where the head is tied.",
    ),
  embeddings: largeCount.min(1).describe("The input embeddings."),
  head: largeCount.describe(
    "The output head and the final norm; 0 where the head is tied to the embeddings.",
  ),
});

const quantBlock = z.strictObject({
  outputs: int32(1, 4_194_304).describe(
    "Rows of the matrix, which are its outputs: 128 in FP8 blocks of 128 x 128, 1 in groups.",
  ),
  inputs: int32(1, 4_194_304)
    .exactOptional()
    .describe("Columns, which are its inputs: 128 in groups of 128; the whole row when absent."),
});

/**
 * Facts of a model that the catalog lacks; the fields of Hugging Face's `config.json` under clearer names.
 * `llama-operator inspect` writes it.
 */
export const modelProfile = z.strictObject({
  hiddenSize: int32(1, 1_048_576).describe("Width of the hidden state: `hidden_size` of config.json."),
  layers: int32(1, 1024).describe("Transformer layers: `num_hidden_layers`."),
  attentionHeads: int32(1, 1024).describe("Query heads of a layer: `num_attention_heads`."),
  keyValueHeads: int32(1, 1024).describe("Key and value heads of a layer: `num_key_value_heads`."),
  headDimension: int32(1, 1024).describe(
    "Width of a head: `head_dim`, or hidden_size / num_attention_heads.",
  ),
  feedForwardSize: int32(1, 4_194_304).describe("Width of the feed-forward layer: `intermediate_size`."),
  vocabularySize: int32(1, 4_194_304).describe("Tokens of the vocabulary: `vocab_size`."),
  maxPositions: int32(1, 16_777_216).describe(
    "Longest context in tokens: `max_position_embeddings`, and what the rotary scaling makes of it.",
  ),
  tiedEmbeddings: z
    .boolean()
    .default(false)
    .describe("Whether input and output embeddings are one matrix: `tie_word_embeddings`."),
  weights: z
    .enum(["bf16", "fp8", "int8", "int4"])
    .default("bf16")
    .describe("Format of the checkpoint's linear layers."),
  weightBytes: weightBytes
    .exactOptional()
    .describe(
      "Exact bytes of the weights once loaded, from the checkpoint's headers; derived from the sizes when absent.",
    ),
  quantMethod: z
    .string()
    .min(1)
    .max(32)
    .regex(/^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$/)
    .exactOptional()
    .describe("How the checkpoint is quantised, as engines name it: `quantization_config.quant_method`."),
  quantBlock: quantBlock
    .exactOptional()
    .describe(
      "Weights that share one scale, which no tensor degree may cut: `weight_block_size` or `group_size`; when absent, groups of 128 in INT4 and none else.",
    ),
  declaresFp8KvCache: z
    .boolean()
    .exactOptional()
    .describe("Whether the checkpoint declares an FP8 KV cache: `kv_cache_scheme` or `kv_cache_quant_algo`."),
});

/** `spec.model.profile`. */
export type ModelProfile = z.output<typeof modelProfile>;

/** `spec.model`. */
export const model = withRules(
  z.strictObject({
    name: z
      .string()
      .min(1)
      .max(63)
      .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
      .describe(
        "Name in the catalog, such as `llama-3.1-8b-instruct`; any other name needs a profile and a source.",
      ),
    source: modelSource
      .exactOptional()
      .describe(
        "Where the weights come from; the catalog's Hugging Face repository at a pinned revision when absent.",
      ),
    profile: modelProfile.exactOptional().describe("Facts of a model that the catalog lacks."),
  }),
  [
    {
      cel: "!has(self.profile) || (has(self.source) && (has(self.source.persistentVolumeClaim) || has(self.source.huggingFace) && has(self.source.huggingFace.repository)))",
      holds: ({ profile, source }) =>
        profile === undefined ||
        source?.persistentVolumeClaim !== undefined ||
        source?.huggingFace?.repository !== undefined,
      message: "a model with a profile needs a source: the catalog does not know where its weights are",
      fieldPath: ".source",
    },
  ],
);
