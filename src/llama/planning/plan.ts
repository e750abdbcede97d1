// What the planner answers: a Plan, or a Refusal that says which number broke and what would work instead.
// Both are plain data: they go into status, into a revision, onto a terminal and through JSON unchanged.
import type { FabricType, GpuPoolSpec } from "../api/gpu-pool.ts";
import type { Reason } from "../api/conditions.ts";
import type { LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { WeightFormat } from "../catalog/weight-bytes.ts";
import type { Wish } from "./intent/wish.ts";
import type { MeasuredOverhead } from "../api/measured-overheads.ts";

/** A pool as the planner sees it. `freeGpus` orders the choice between pools; it never makes a plan illegal. */
export interface PoolFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: GpuPoolSpec;
  /** Free GPUs of each Ready node, where nodes are known. */
  readonly freeGpus?: readonly number[];
}

/** Where the weights come from, and what they are. */
export interface Weights {
  readonly format: WeightFormat;
  /** vLLM's `quantization` of the checkpoint (`compressed-tensors`, `modelopt`, …), or "fp8" where the engine quantises on the fly. */
  readonly quantMethod?: string;
  readonly source:
    | {
        readonly kind: "huggingFace";
        readonly repository: string;
        readonly revision: string;
        readonly gated: boolean;
      }
    | { readonly kind: "persistentVolumeClaim"; readonly claimName: string; readonly path?: string };
  /** Bytes of the whole checkpoint. */
  readonly totalBytes: number;
  /** Bytes that one node of a replica reads and keeps on its GPUs. */
  readonly bytesPerNode: number;
}

/** Values that an engine's defaults could change between versions, so they are always emitted. */
export interface EngineLimits {
  /** Longest request in tokens. */
  readonly maxModelLen: number;
  /** Sequences in one step. */
  readonly maxNumSeqs: number;
  /** Tokens of one step, the chunked-prefill budget. */
  readonly maxNumBatchedTokens: number;
  /** Share of visible memory that the engine may use. */
  readonly gpuMemoryUtilization: number;
  /** Tokens of one KV block. */
  readonly blockSize: number;
  /** Bytes of KV cache on each GPU, where the engine is told instead of measuring what is left. */
  readonly kvCacheMemoryBytes?: number;
}

/** Bytes of one GPU, the fullest of the replica; the parts add up to `total` to the byte. */
export interface MemoryPerGpu {
  /** Visible to the engine. */
  readonly total: number;
  readonly weights: number;
  readonly kvCache: number;
  /** Peak of the forward pass and the sampler. */
  readonly activations: number;
  /** CUDA graphs. */
  readonly graphs: number;
  /** What torch does not see, inside the engine's budget: NCCL, custom all-reduce. */
  readonly communication: number;
  /** LoRA slots and a draft's weights. */
  readonly additional: number;
  /** Left free because the rules may be off by as much. */
  readonly margin: number;
  /** Outside the budget (CUDA context and others), and what fills no KV block. */
  readonly reserved: number;
}

/** What one pod of a replica requests; a replica has `nodesPerReplica` pods. */
export interface PodResources {
  readonly gpus: number;
  /** The pool's extended resource: `nvidia.com/gpu`. */
  readonly gpuResourceName: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  /** Size limit of /dev/shm, counted within `memoryBytes`. */
  readonly sharedMemoryBytes: number;
  /** Node-local disk: the whole checkpoint where it is downloaded, and caches. */
  readonly ephemeralStorageBytes: number;
  /** Extended resources of the fabric, for groups that span nodes. */
  readonly fabric: Readonly<Record<string, string>>;
}

/** Seconds of each phase of a start. */
export interface StartupSeconds {
  /** Interpreter, imports, CUDA and NCCL. */
  readonly process: number;
  /** From the hub to the node's disk; 0 where the weights are on a volume. */
  readonly download: number;
  /** From disk or volume to the GPUs. */
  readonly load: number;
  readonly compile: number;
  readonly graphs: number;
}

/** How one replica is laid out: everything the engines and workloads need, and nothing that changes with time. */
export interface Plan {
  readonly kind: "plan";
  readonly model: string;
  readonly pool: string;
  readonly gpu: string;
  readonly fabric: FabricType;
  readonly tensor: number;
  readonly pipeline: number;
  readonly nodesPerReplica: number;
  readonly gpusPerReplica: number;
  readonly weights: Weights;
  readonly kvCache: "bf16" | "fp8";
  readonly engine: Readonly<Pick<LlamaDeploymentSpec["engine"], "type" | "version">>;
  readonly limits: EngineLimits;
  readonly memoryPerGpu: MemoryPerGpu;
  /** Tokens that the KV cache of the whole replica holds at least. */
  readonly kvCacheTokens: number;
  /** Tokens that it is expected to hold: what the margin is kept for does not happen. */
  readonly expectedKvCacheTokens: number;
  /** Requests of `limits.maxModelLen` tokens that fit at once, rounded down to hundredths. */
  readonly maxConcurrency: number;
  readonly pod: PodResources;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: GpuPoolSpec["tolerations"];
  /** Seconds from a started container to an answering engine, with nothing cached; probes allow a multiple. */
  readonly startupSeconds: number;
  /** The same by phase; they add up to it. */
  readonly startup: StartupSeconds;
  /** One line per decision, for people: why this format, these degrees, this pool. */
  readonly because: readonly string[];
}

/** A change to the spec with which planning succeeds; `patch` is a merge patch of `spec`. */
export interface Alternative {
  readonly summary: string;
  readonly patch: Readonly<Record<string, unknown>>;
}

/** No plan. `waits` is true where the world may change by itself (a pool may come); otherwise the user must act. */
export interface Refusal {
  readonly kind: "refusal";
  readonly waits: boolean;
  readonly reason: Reason;
  /** What is wrong, where, by how much. Holds no number that changes by itself. */
  readonly message: string;
  /** Nearest changes that plan, cheapest first; each was tried. */
  readonly alternatives: readonly Alternative[];
}

export type PlanResult = Plan | Refusal;

/** A plan that runs, or is to. */
export interface PlanInForce {
  readonly plan: Plan;
  /**
   * What it was made for. Absent where it was stored before that was kept: then it takes the spec that it is asked about
   * as its own, if it is an answer to that at all.
   */
  readonly madeFor?: Wish | undefined;
}

/** What to plan. */
export interface PlanRequest {
  readonly spec: LlamaDeploymentSpec;
  /** The pools that the object's namespace may use. */
  readonly pools: readonly PoolFacts[];
  /** The plan in force: kept as it is while the wish that it was made for is unchanged. */
  readonly current?: PlanInForce;
  /** What running engines were found to take besides weights and KV cache: goes before the engine's rule. */
  readonly measuredOverheads?: readonly MeasuredOverhead[];
}
