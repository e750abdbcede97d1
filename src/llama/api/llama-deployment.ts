// The kind LlamaDeployment: what the user writes (spec) and what the operator found and did (status).
// Types, defaults, the CRD and its CEL rules all come from these schemas.
import { z } from "zod";
import { engine } from "./engine-spec.ts";
import { model } from "./model.ts";
import {
  type Rule,
  conditions,
  count,
  freeName,
  int32,
  labels,
  largeCount,
  mapList,
  objectName,
  observedGeneration,
  podAnnotations,
  podLabels,
  text,
} from "./schema.ts";

/** Services and LeaderWorkerSets refuse dots and leading digits; worker pods add to the name: 40 characters at most. */
export const deploymentName = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;

/** The rule on `metadata.name`; CRDs allow longer names, but the objects made from it do not. */
export const deploymentNameRule: Rule<{ readonly metadata: { readonly name: string } }> = {
  cel: `self.metadata.name.matches('${deploymentName.source}')`,
  holds: (self) => deploymentName.test(self.metadata.name),
  message:
    "the name must start with a letter and hold only a-z, 0-9 and -, 40 characters at most: the Service has this name, and the pods' names add to it",
};

const quantization = z.strictObject({
  weights: z
    .enum(["auto", "bf16", "fp8", "int8", "int4"])
    .default("auto")
    .describe(
      "Format of the weights. `auto` takes BF16 or FP8, whichever needs the fewest GPUs, BF16 where both need the same; INT8 and INT4 cost quality, and are for who asks for them.",
    ),
  kvCache: z
    .enum(["auto", "bf16", "fp8"])
    .default("auto")
    .describe("Format of the KV cache. `auto` is BF16 unless only FP8 fits."),
});

const context = z.strictObject({
  maxTokens: int32(1, 16_777_216)
    .exactOptional()
    .describe("Longest request, prompt and answer together, in tokens; the model's own limit when absent."),
  minConcurrency: int32(1, 4096)
    .default(1)
    .describe("How many requests of full length the KV cache must hold at once."),
  kvCacheSize: z
    .enum(["profiled", "planned"])
    .default("profiled")
    .describe(
      "`profiled`: the engine measures at start what is left for the KV cache, and takes it. `planned`: it is told the plan's own size (`--kv-cache-memory-bytes`) and measures nothing, so that every start holds the same.",
    ),
});

const parallelism = z.strictObject({
  tensor: int32(1, 64).exactOptional().describe("Tensor parallel degree: GPUs that share each layer."),
  pipeline: int32(1, 64)
    .exactOptional()
    .describe("Pipeline parallel degree: stages of consecutive layers, one group of GPUs each."),
});

const placement = z.strictObject({
  poolSelector: z
    .strictObject({ matchLabels: labels.describe("Labels that a GpuPool must have.") })
    .exactOptional()
    .describe("Which GpuPools may be used; any that fits when absent."),
});

const podTemplate = z.strictObject({
  labels: podLabels.default({}).describe("Further labels of the pods."),
  annotations: podAnnotations.default({}).describe("Further annotations of the pods."),
  priorityClassName: objectName.exactOptional().describe("PriorityClass of the pods."),
  serviceAccountName: objectName
    .exactOptional()
    .describe("ServiceAccount of the pods; one without rights or token is made when absent."),
  imagePullSecrets: mapList(
    z.strictObject({ name: freeName.describe("Name of the Secret, in the same namespace.") }),
    "name",
    8,
  )
    .default([])
    .describe("Secrets for the registry of the engine's image."),
  schedulerName: freeName
    .exactOptional()
    .describe("Scheduler of the pods; the cluster's default when absent."),
  runtimeClassName: objectName
    .exactOptional()
    .describe("RuntimeClass of the pods, where the node's default runtime cannot use GPUs."),
});

export const llamaDeploymentSpec = z.strictObject({
  model: model.describe("Which model to serve."),
  quantization: quantization
    .default({ weights: "auto", kvCache: "auto" })
    .describe("Number formats of weights and KV cache."),
  context: context
    .default({ minConcurrency: 1, kvCacheSize: "profiled" })
    .describe("How long requests may be, and how many must fit at once."),
  parallelism: parallelism
    .default({})
    .describe(
      "How many GPUs share a replica: the planner's choice where absent; what is set is kept or refused.",
    ),
  placement: placement.default({}).describe("Where replicas may run."),
  engine: engine
    .default({ type: "vllm", version: "0.32.0", args: {}, env: [] })
    .describe("What runs the model."),
  replicas: int32(0, 1000)
    .default(1)
    .describe("How many copies of the model serve, each with all the GPUs that its plan needs."),
  podTemplate: podTemplate
    .default({ labels: {}, annotations: {}, imagePullSecrets: [] })
    .describe("What a cluster's other parts need on the pods."),
});

/** `status.plan.measured`: what one pod of the revision said of itself; what its engine does not say is absent. */
const measured = z.strictObject({
  kvCacheTokens: largeCount.describe(
    "Tokens that the KV cache of one replica holds, as the engine counts them.",
  ),
  driftPercent: text(32).describe(
    "By how much the engine's KV cache differs from the planned one, in percent of that: `-1.3` is less than planned.",
  ),
  maxConcurrency: text(32)
    .exactOptional()
    .describe("Requests of full length that fit at once, such as `3.21`."),
  blockSize: count.exactOptional().describe("Tokens of one block of the KV cache."),
  gpuMemoryUtilization: text(32)
    .exactOptional()
    .describe("Share of the GPU's visible memory that the engine was allowed."),
  overheadBytes: largeCount
    .exactOptional()
    .describe(
      "Bytes of each GPU's budget that were left to neither the planned weights nor the KV cache; what `llama-operator overheads` lists.",
    ),
});

/** `status.plan`: how one replica is laid out. */
export const planStatus = z.strictObject({
  pool: text(253).describe("GpuPool that the replica runs in."),
  gpu: text(63).describe("GPU product."),
  checkpoint: text(2048).describe("Repository and revision, or volume and path, of the weights."),
  tensor: count.describe("Tensor parallel degree."),
  pipeline: count.describe("Pipeline parallel degree."),
  nodesPerReplica: count.describe("Nodes of one replica."),
  gpusPerReplica: count.describe("GPUs of one replica."),
  weights: z.enum(["bf16", "fp8", "int8", "int4"]).describe("Format of the weights."),
  kvCache: z.enum(["bf16", "fp8"]).describe("Format of the KV cache."),
  maxTokens: count.describe("Longest request in tokens."),
  kvCacheTokens: largeCount.describe("Tokens that the KV cache of one replica holds."),
  maxConcurrency: text(32).describe("Requests of full length that fit at once, such as `3.21`."),
  memoryPerGpu: z
    .strictObject({
      total: largeCount.describe("Visible to the engine."),
      weights: largeCount.describe("Weights of the model."),
      kvCache: largeCount.describe("KV cache."),
      activations: largeCount.describe("Peak of the forward pass and the sampler."),
      graphs: largeCount.describe("CUDA graphs."),
      communication: largeCount.describe("NCCL and custom all-reduce buffers."),
      additional: largeCount.describe("LoRA slots and a draft model's weights."),
      margin: largeCount.describe("Left free because the planner's rules may be off by as much."),
      reserved: largeCount.describe("Left outside the engine's budget, for the context and others."),
    })
    .describe("Bytes per GPU by part, of the fullest GPU."),
  engine: text(64).describe("Engine and version."),
  image: text(512).describe("Image that the pods run."),
  command: z
    .array(z.string().max(4096))
    .max(128)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .describe("Command line of the replica's first pod."),
  measured: measured
    .exactOptional()
    .describe("What the engine itself reports, read once from the first pod of the revision that answers."),
});

/** `status.waitingForGpus`: a fact of its own, since conditions restart their clocks when their status changes. */
const waitingForGpus = z.strictObject({
  since: z.iso
    .datetime()
    .describe("Since when; of those of equal priority the one that has waited longest comes first."),
  replicas: count.describe("Replicas that have no node yet."),
});

export const llamaDeploymentStatus = z.strictObject({
  observedGeneration,
  conditions: conditions.exactOptional(),
  replicas: count.exactOptional().describe("Replicas that exist, of any revision."),
  readyReplicas: count.exactOptional().describe("Replicas that answer, of any revision."),
  selector: z.string().max(512).exactOptional().describe("Label selector of the serving pods, for /scale."),
  endpoint: z
    .string()
    .max(512)
    .exactOptional()
    .describe("Base URL of the OpenAI-compatible API inside the cluster."),
  currentRevision: z
    .string()
    .max(253)
    .exactOptional()
    .describe("ControllerRevision that this generation resolves to."),
  plan: planStatus.exactOptional().describe("How one replica is laid out."),
  waitingForGpus: waitingForGpus
    .exactOptional()
    .describe("Present while replicas wait for GPUs of the plan's pool: their place in the queue."),
});

export type LlamaDeploymentSpec = z.output<typeof llamaDeploymentSpec>;
export type LlamaDeploymentStatus = z.output<typeof llamaDeploymentStatus>;
export type PlanStatus = z.output<typeof planStatus>;
export type MeasuredStatus = NonNullable<PlanStatus["measured"]>;
