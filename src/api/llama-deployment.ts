// The kind LlamaDeployment: what a person writes (spec) and what the operator found and did (status).
// Types, defaults, the CRD and its CEL rules all come from these schemas.
import { z } from "zod";
import {
  annotations,
  conditions,
  labels,
  objectName,
  secretKeyReference,
  text,
  withRules,
} from "./schema.ts";

/** Services and LeaderWorkerSets refuse dots and leading digits; worker pods add to the name: 40 characters at most. */
export const deploymentName = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;

const huggingFaceSource = z.strictObject({
  repository: z
    .string()
    .min(3)
    .max(193)
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]*\/[A-Za-z0-9][-A-Za-z0-9_.]*$/)
    .describe("Repository on the Hugging Face hub, such as `meta-llama/Llama-3.1-8B-Instruct`."),
  revision: z
    .string()
    .max(40)
    .regex(/^[0-9a-f]{40}$/, "must be a full commit hash (40 hex digits): branches and tags move")
    .describe("Full commit hash of the revision to serve. Branches and tags move, so they are refused."),
  tokenSecretRef: secretKeyReference
    .optional()
    .describe("Secret key with a Hugging Face token; needed for gated repositories."),
});

const persistentVolumeClaimSource = z.strictObject({
  claimName: objectName.describe("PersistentVolumeClaim with the weights, in the same namespace."),
  path: z
    .string()
    .max(1024)
    .regex(/^[^/].*$/)
    .optional()
    .describe("Folder of the checkpoint inside the volume; the volume's root when absent."),
});

const modelSource = withRules(
  z.strictObject({
    huggingFace: huggingFaceSource.optional(),
    persistentVolumeClaim: persistentVolumeClaimSource.optional(),
  }),
  [
    {
      cel: "[has(self.huggingFace), has(self.persistentVolumeClaim)].exists_one(present, present)",
      holds: (self) => (self.huggingFace === undefined) !== (self.persistentVolumeClaim === undefined),
      message: "set exactly one of huggingFace and persistentVolumeClaim",
    },
  ],
);

const positiveInt = (max: number) => z.int().min(1).max(max);

/** Facts of a model that the catalog lacks; the fields of Hugging Face's `config.json` under its own names' meaning. */
const modelProfile = z.strictObject({
  hiddenSize: positiveInt(1_048_576).describe("`hidden_size`."),
  layers: positiveInt(1024).describe("`num_hidden_layers`."),
  attentionHeads: positiveInt(1024).describe("`num_attention_heads`."),
  keyValueHeads: positiveInt(1024).describe("`num_key_value_heads`."),
  headDimension: positiveInt(1024).describe("`head_dim`, or hidden_size / num_attention_heads."),
  feedForwardSize: positiveInt(4_194_304).describe("`intermediate_size`."),
  vocabularySize: positiveInt(4_194_304).describe("`vocab_size`."),
  maxPositions: positiveInt(16_777_216).describe("`max_position_embeddings`: the longest context in tokens."),
  tiedEmbeddings: z.boolean().default(false).describe("`tie_word_embeddings`."),
  weights: z.enum(["bf16", "fp8"]).default("bf16").describe("Format of the checkpoint's linear layers."),
});

const model = withRules(
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
      .optional()
      .describe(
        "Where the weights come from; the catalog's Hugging Face repository at a pinned revision when absent.",
      ),
    profile: modelProfile.optional().describe("Facts of a model that the catalog lacks."),
  }),
  [
    {
      cel: "!has(self.profile) || has(self.source)",
      holds: (self) => self.profile === undefined || self.source !== undefined,
      message: "a model with a profile needs a source: the catalog does not know where its weights are",
      fieldPath: ".source",
    },
  ],
);

const quantization = z.strictObject({
  weights: z
    .enum(["auto", "bf16", "fp8"])
    .default("auto")
    .describe(
      "Format of the weights. `auto` takes the format that needs the fewest GPUs, BF16 where both need the same.",
    ),
  kvCache: z
    .enum(["auto", "bf16", "fp8"])
    .default("auto")
    .describe("Format of the KV cache. `auto` is BF16 unless only FP8 fits."),
});

const context = z.strictObject({
  maxTokens: z
    .int()
    .min(1)
    .max(16_777_216)
    .meta({ format: "int32" })
    .optional()
    .describe("Longest request, prompt and answer together, in tokens; the model's own limit when absent."),
  minConcurrency: positiveInt(4096)
    .meta({ format: "int32" })
    .default(1)
    .describe("How many requests of full length the KV cache must hold at once."),
});

const parallelism = z.strictObject({
  tensor: positiveInt(64)
    .meta({ format: "int32" })
    .optional()
    .describe("Tensor parallel degree: GPUs that share each layer."),
  pipeline: positiveInt(64)
    .meta({ format: "int32" })
    .optional()
    .describe("Pipeline parallel degree: stages of consecutive layers, one group of GPUs each."),
});

const placement = z.strictObject({
  poolSelector: z
    .strictObject({ matchLabels: labels.describe("Labels that a GpuPool must have.") })
    .optional()
    .describe("Which GpuPools may be used; any that fits when absent."),
});

/** Flags that follow from the plan or from other fields; `engine.args` may not set them. Names without dashes. */
export const plannedEngineFlags = [
  "block-size",
  "data-parallel-size",
  "download-dir",
  "headless",
  "host",
  "kv-cache-dtype",
  "kv-cache-memory-bytes",
  "load-format",
  "master-addr",
  "master-port",
  "max-model-len",
  "model",
  "nnodes",
  "node-rank",
  "pipeline-parallel-size",
  "port",
  "quantization",
  "revision",
  "served-model-name",
  "shutdown-timeout",
  "tensor-parallel-size",
  "tokenizer-revision",
] as const;

const engineFlag = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/);

const environmentVariable = withRules(
  z.strictObject({
    name: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
    value: z.string().max(4096).optional(),
    secretKeyRef: secretKeyReference.optional().describe("Take the value from a Secret."),
  }),
  [
    {
      cel: "has(self.value) != has(self.secretKeyRef)",
      holds: (self) => (self.value === undefined) !== (self.secretKeyRef === undefined),
      message: "set exactly one of value and secretKeyRef",
    },
  ],
);

const plannedFlagList = plannedEngineFlags.map((flag) => `'${flag}'`).join(", ");

const engine = z.strictObject({
  type: z.enum(["vllm"]).default("vllm").describe("Inference engine."),
  version: z
    .string()
    .max(32)
    .regex(/^[0-9]+\.[0-9]+\.[0-9]+$/)
    .default("0.32.0")
    .describe("Version of the engine."),
  image: z
    .string()
    .min(1)
    .max(512)
    .regex(/^\S+$/)
    .optional()
    .describe("Image to run instead of the engine's published one; it must hold the stated version."),
  args: withRules(
    z
      .record(engineFlag, z.string().max(4096))
      .meta({ maxProperties: 32 })
      .describe(
        'Further flags, by name without dashes: `max-num-seqs: "128"`. A flag without a value is written `""`.',
      ),
    [
      {
        cel: `self.all(flag, !(flag in [${plannedFlagList}]))`,
        holds: (self) =>
          Object.keys(self).every((flag) => !plannedEngineFlags.some((planned) => planned === flag)),
        message: `these flags follow from the plan; use model, quantization, context and parallelism instead of: ${plannedEngineFlags.join(", ")}`,
      },
    ],
  ).default({}),
  env: z
    .array(environmentVariable)
    .max(32)
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .default([])
    .describe("Further environment variables of the engine's container."),
});

const podTemplate = z.strictObject({
  labels: labels.default({}).describe("Further labels of the pods."),
  annotations: annotations.default({}).describe("Further annotations of the pods."),
  priorityClassName: objectName.optional(),
  serviceAccountName: objectName
    .optional()
    .describe("ServiceAccount of the pods; one without rights or token is made when absent."),
  imagePullSecrets: z
    .array(z.strictObject({ name: objectName }))
    .max(8)
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .default([]),
  schedulerName: objectName.optional(),
  runtimeClassName: objectName.optional(),
});

export const llamaDeploymentSpec = z.strictObject({
  model,
  quantization: quantization.default({ weights: "auto", kvCache: "auto" }),
  context: context.default({ minConcurrency: 1 }),
  parallelism: parallelism
    .default({})
    .describe("The planner's choice where absent; what is set is kept or refused."),
  placement: placement.default({}),
  engine: engine.default({ type: "vllm", version: "0.32.0", args: {}, env: [] }),
  replicas: z
    .int()
    .min(0)
    .max(1000)
    .meta({ format: "int32" })
    .default(1)
    .describe("How many copies of the model serve, each with all the GPUs that its plan needs."),
  podTemplate: podTemplate.default({ labels: {}, annotations: {}, imagePullSecrets: [] }),
});

const bytes = z.int().min(0).meta({ format: "int64" });
const count = z.int().min(0).meta({ format: "int32" });

/** `status.plan`: how one replica is laid out. */
export const planStatus = z.strictObject({
  pool: text(253).describe("GpuPool that the replica runs in."),
  gpu: text(63).describe("GPU product."),
  checkpoint: text(256).describe("Repository and revision, or volume and path, of the weights."),
  tensor: count.describe("Tensor parallel degree."),
  pipeline: count.describe("Pipeline parallel degree."),
  nodesPerReplica: count,
  gpusPerReplica: count,
  weights: z.enum(["bf16", "fp8"]),
  kvCache: z.enum(["bf16", "fp8"]),
  maxTokens: count.describe("Longest request in tokens."),
  kvCacheTokens: z
    .int()
    .min(0)
    .meta({ format: "int64" })
    .describe("Tokens that the KV cache of one replica holds."),
  maxConcurrency: text(32).describe("Requests of full length that fit at once, such as `3.21`."),
  memoryPerGpu: z
    .strictObject({
      total: bytes.describe("Visible to the engine."),
      weights: bytes,
      kvCache: bytes,
      activations: bytes.describe("Peak of the forward pass and the sampler."),
      graphs: bytes.describe("CUDA graphs."),
      communication: bytes.describe("NCCL and custom all-reduce buffers."),
      reserved: bytes.describe("Left outside the engine's budget, for the context and others."),
    })
    .describe("Bytes per GPU by part, of the fullest GPU."),
  engine: text(64).describe("Engine and version."),
  image: text(512),
  command: z.array(z.string().max(4096)).max(128).meta({ "x-kubernetes-list-type": "atomic" }),
});

export const llamaDeploymentStatus = z.strictObject({
  observedGeneration: z.int().meta({ format: "int64" }).default(-1),
  conditions: conditions.optional(),
  replicas: count.optional().describe("Replicas that exist, of any revision."),
  readyReplicas: count.optional().describe("Replicas that answer, of any revision."),
  selector: z.string().max(512).optional().describe("Label selector of the serving pods, for /scale."),
  endpoint: z
    .string()
    .max(512)
    .optional()
    .describe("Base URL of the OpenAI-compatible API inside the cluster."),
  currentRevision: z
    .string()
    .max(253)
    .optional()
    .describe("ControllerRevision that this generation resolves to."),
  plan: planStatus.optional(),
});

export type LlamaDeploymentSpec = z.output<typeof llamaDeploymentSpec>;
export type LlamaDeploymentStatus = z.output<typeof llamaDeploymentStatus>;
export type PlanStatus = z.output<typeof planStatus>;
export type ModelProfile = z.output<typeof modelProfile>;
export type HuggingFaceSource = z.output<typeof huggingFaceSource>;
export type PersistentVolumeClaimSource = z.output<typeof persistentVolumeClaimSource>;
export type EngineSpec = z.output<typeof engine>;
export type PodTemplate = z.output<typeof podTemplate>;
