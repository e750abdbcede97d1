// What people get wrong, and what comes of it: one table for the tests and for people who look a message up. What the
// API server refuses is tried on a real one; the rest, and how little is written for it, in the simulation.
import { apiGroupVersion } from "@llama-operator/llama/api";

export interface BadInput {
  /** The end of a sentence: "a LlamaDeployment with …". */
  readonly what: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly name?: string;
  /** GPUs of the namespace; default one node of eight H100 80GB. */
  readonly pool?:
    | { readonly shape?: string; readonly nodes?: number; readonly spec?: Readonly<Record<string, unknown>> }
    | "none";
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly outcome:
    /** The API server says no to kubectl. */
    | { readonly kind: "refused" }
    /** Nothing will change until a person acts. */
    | { readonly kind: "stalled"; readonly reason: string }
    /** The world may change by itself. */
    | { readonly kind: "waiting"; readonly reason: string };
  /** Part of what the person reads. */
  readonly words: string;
  /** What the operator may write for it until it rests. */
  readonly writes: number;
}

interface Outcome<Kind> {
  readonly outcome: { readonly kind: Kind };
}

/** Those that are stored, and that the operator has to answer. */
export function isStored(input: BadInput): input is BadInput & Outcome<"stalled" | "waiting"> {
  return input.outcome.kind !== "refused";
}

const model = { name: "llama-3.1-8b-instruct" };
const refused = { kind: "refused" } as const;
const stalled = (reason: string) => ({ kind: "stalled", reason }) as const;
const waiting = (reason: string) => ({ kind: "waiting", reason }) as const;

/** One status. */
const told = 1;
/** Five children, the status of the plan, and one for each of three turns in the life of a pod that waits. */
const made = 9;

export const badInputs: readonly BadInput[] = [
  {
    what: "an unknown field",
    spec: { model, replica: 2 },
    outcome: refused,
    words: `unknown field "spec.replica"`,
    writes: 0,
  },
  {
    what: "a name with dots",
    name: "llama-3.1",
    spec: { model },
    outcome: refused,
    words: "must start with a letter",
    writes: 0,
  },
  {
    what: "a name with a digit first",
    name: "8b",
    spec: { model },
    outcome: refused,
    words: "must start with a letter",
    writes: 0,
  },
  {
    what: "a name of 41 characters",
    name: "a".repeat(41),
    spec: { model },
    outcome: refused,
    words: "must start with a letter",
    writes: 0,
  },
  {
    what: "a revision that is a branch name",
    spec: { model: { ...model, source: { huggingFace: { revision: "main" } } } },
    outcome: refused,
    words: "spec.model.source.huggingFace.revision",
    writes: 0,
  },
  {
    what: "engine arguments that the plan owns",
    spec: { model, engine: { args: { "tensor-parallel-size": "4" } } },
    outcome: refused,
    words: "these flags follow from the plan",
    writes: 0,
  },
  {
    what: "a thousand environment variables",
    spec: {
      model,
      engine: { env: Array.from({ length: 1000 }, (_, index) => ({ name: `V${index}`, value: "" })) },
    },
    outcome: refused,
    words: "spec.engine.env: Too many",
    writes: 0,
  },
  {
    what: "a fraction of a replica",
    spec: { model, replicas: 0.5 },
    outcome: refused,
    words: "spec.replicas",
    writes: 0,
  },
  {
    what: "an unknown model",
    spec: { model: { name: "llama-3.1-8b-instrct" } },
    outcome: stalled("UnknownModel"),
    words: "llama-3.1-8b-instruct",
    writes: told,
  },
  {
    what: "a tensor degree that does not divide the heads",
    spec: { model, parallelism: { tensor: 3 } },
    outcome: stalled("IllegalParallelism"),
    words: "parallelism.tensor 3 does not divide",
    writes: told,
  },
  {
    what: "a context beyond the model's",
    spec: { model, context: { maxTokens: 200_000 } },
    outcome: stalled("ContextTooLong"),
    words: "131,072",
    writes: told,
  },
  {
    what: "an engine argument that is no number",
    spec: { model, engine: { args: { "max-num-seqs": "many" } } },
    outcome: stalled("InvalidSpec"),
    words: "max-num-seqs",
    writes: told,
  },
  {
    what: "an engine argument by another name than the plan's",
    spec: { model, engine: { args: { "tensor-parallel": "4" } } },
    outcome: stalled("InvalidSpec"),
    words: "tensor-parallel",
    writes: told,
  },
  {
    what: "an engine too old to be safe",
    spec: { model, engine: { version: "0.8.5" } },
    outcome: stalled("UnsupportedEngine"),
    words: "0.22.1",
    writes: told,
  },
  {
    what: "a model too big for the pool's node",
    spec: {
      model: { name: "llama-3.1-405b-instruct" },
      quantization: { weights: "bf16" },
      parallelism: { tensor: 8, pipeline: 1 },
    },
    outcome: stalled("DoesNotFit"),
    words: "94.5 GiB of weights per GPU",
    writes: told,
  },
  {
    what: "a pool whose GPU the catalog lacks",
    spec: { model },
    pool: { spec: { gpu: { product: "nvidia-voodoo", perNode: 8 } } },
    outcome: stalled("DoesNotFit"),
    words: "nvidia-voodoo",
    writes: told,
  },
  {
    what: "a pool of machines that are too small",
    spec: { model: { name: "llama-3.1-70b-instruct" }, parallelism: { pipeline: 1 } },
    pool: { shape: "a3-highgpu-1g", nodes: 0, spec: { nodes: { max: 8 } } },
    outcome: stalled("DoesNotFit"),
    words: "per GPU",
    writes: told,
  },
  {
    what: "no pool that it may use",
    spec: { model },
    pool: "none",
    outcome: waiting("NoPool"),
    words: "no GpuPool",
    writes: told,
  },
  {
    what: "a pool without nodes",
    spec: { model },
    pool: { nodes: 0, spec: { nodes: { max: 2 }, capacity: "queued" } },
    outcome: waiting("WaitingForGpus"),
    words: "has too few, and may grow to 2 nodes (capacity: queued)",
    writes: made,
  },
  {
    what: "a claim that is not there",
    spec: { model: { ...model, source: { persistentVolumeClaim: { claimName: "weights" } } } },
    outcome: waiting("ClaimNotFound"),
    words: "PersistentVolumeClaim weights is not there",
    writes: made,
  },
  {
    what: "a Secret that is not there",
    spec: {
      model: { ...model, source: { huggingFace: { tokenSecretRef: { name: "hf-token", key: "token" } } } },
    },
    outcome: waiting("SecretNotFound"),
    words: `secret "hf-token" not found`,
    writes: made,
  },
  {
    what: "a fabric that the namespace's Pod Security refuses",
    spec: { model: { name: "llama-3.1-405b-instruct" }, quantization: { weights: "bf16" } },
    pool: {
      nodes: 0,
      spec: { nodes: { max: 4 }, fabric: { type: "infiniband", resources: { "rdma/ib": "8" } } },
    },
    namespaceLabels: { "pod-security.kubernetes.io/enforce": "restricted" },
    outcome: stalled("PodSecurity"),
    words: `enforces "restricted"`,
    // The plan that fits is told too.
    writes: told + 1,
  },
];

/** The quantities of a GpuPool are checked by the API server too. */
export const malformedPool = {
  apiVersion: apiGroupVersion,
  kind: "GpuPool",
  metadata: { name: "malformed" },
  spec: { gpu: { product: "nvidia-h100-80gb", perNode: 8 }, allocatable: { memory: "lots" } },
};

export function badManifest({ name = "llama", spec }: BadInput): object {
  return { apiVersion: apiGroupVersion, kind: "LlamaDeployment", metadata: { name }, spec };
}
