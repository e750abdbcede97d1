// The deployments that the golden manifests and the tests of engines and workloads render: a spec as a user
// would write it, and a plan written by hand, so that these tests rest on no arithmetic of the planner.
import { llamaDeploymentSpec, type LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { Plan } from "../planning/plan.ts";

export interface Case {
  readonly name: string;
  readonly owner: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly spec: LlamaDeploymentSpec;
  readonly plan: Plan;
}

const gibibyte = 2 ** 30;

const base: Plan = {
  kind: "plan",
  model: "llama-3.1-8b-instruct",
  pool: "h100",
  gpu: "nvidia-h100-80gb",
  fabric: "none",
  tensor: 1,
  pipeline: 1,
  nodesPerReplica: 1,
  gpusPerReplica: 1,
  weights: {
    format: "bf16",
    source: {
      kind: "huggingFace",
      repository: "meta-llama/Llama-3.1-8B-Instruct",
      revision: "0e9e39f249a16976918f6564b8830bc894c89659",
      gated: true,
    },
    totalBytes: 16_060_522_496,
    bytesPerNode: 16_060_522_496,
  },
  kvCache: "bf16",
  engine: { type: "vllm", version: "0.32.0" },
  limits: {
    maxModelLen: 131_072,
    maxNumSeqs: 1024,
    maxNumBatchedTokens: 8192,
    gpuMemoryUtilization: 0.92,
    blockSize: 16,
  },
  memoryPerGpu: {
    total: 79 * gibibyte,
    weights: 15 * gibibyte,
    kvCache: 54 * gibibyte,
    activations: 2 * gibibyte,
    graphs: gibibyte,
    communication: 0,
    additional: 0,
    margin: gibibyte,
    reserved: 6 * gibibyte,
  },
  kvCacheTokens: 442_368,
  expectedKvCacheTokens: 450_560,
  maxConcurrency: 3.375,
  pod: {
    gpus: 1,
    gpuResourceName: "nvidia.com/gpu",
    cpuMillicores: 12_000,
    memoryBytes: 96 * gibibyte,
    sharedMemoryBytes: 16 * gibibyte,
    ephemeralStorageBytes: 48 * gibibyte,
    fabric: {},
  },
  nodeSelector: { "cloud.google.com/gke-accelerator": "nvidia-h100-80gb" },
  tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
  startupSeconds: 120,
  startup: { process: 30, download: 32, load: 27, compile: 11, graphs: 20 },
  because: ["one GPU holds the weights and three requests of 131072 tokens"],
};

function owner(name: string): Case["owner"] {
  return { name, namespace: "models", uid: "7d0d1a52-5f0a-4c0e-9b3e-0f6f2f0c0001" };
}

const token = { name: "hugging-face", key: "token" };

const eightB: Case = {
  name: "8b-on-one-gpu",
  owner: owner("llama-8b"),
  spec: llamaDeploymentSpec.parse({
    model: { name: "llama-3.1-8b-instruct", source: { huggingFace: { tokenSecretRef: token } } },
    replicas: 2,
  }),
  plan: base,
};

const seventyB: Case = {
  name: "70b-fp8-on-two-gpus-with-token",
  owner: owner("llama-70b"),
  spec: llamaDeploymentSpec.parse({
    model: { name: "llama-3.3-70b-instruct", source: { huggingFace: { tokenSecretRef: token } } },
    quantization: { weights: "fp8" },
    context: { maxTokens: 32_768 },
    engine: {
      args: { seed: "7", "enable-prefix-caching": "", "chat-template": "$(HF_TOKEN)-{{ messages }}" },
      env: [
        { name: "VLLM_LOGGING_LEVEL", value: "DEBUG" },
        { name: "VLLM_API_KEY", secretKeyRef: { name: "gateway", key: "api-key" } },
      ],
    },
    podTemplate: {
      labels: { team: "search" },
      annotations: { "sim.llama-operator.dev/crash": "after=5s" },
      priorityClassName: "serving",
      serviceAccountName: "search",
      imagePullSecrets: [{ name: "registry" }],
      schedulerName: "packing",
      runtimeClassName: "nvidia",
    },
  }),
  plan: {
    ...base,
    model: "llama-3.3-70b-instruct",
    tensor: 2,
    gpusPerReplica: 2,
    weights: {
      format: "fp8",
      quantMethod: "compressed-tensors",
      source: {
        kind: "huggingFace",
        repository: "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic",
        revision: "6f9bd5e6a3a1f4b0a3e6f6fc7d2f0c1d2e3f4a5b",
        gated: false,
      },
      totalBytes: 72_660_000_000,
      bytesPerNode: 72_660_000_000,
    },
    limits: { ...base.limits, maxModelLen: 32_768 },
    pod: {
      ...base.pod,
      gpus: 2,
      cpuMillicores: 24_500,
      memoryBytes: 192 * gibibyte,
      ephemeralStorageBytes: 112 * gibibyte,
    },
    startupSeconds: 300,
  },
};

const fourHundredFiveB: Case = {
  name: "405b-fp8-on-one-node",
  owner: owner("llama-405b"),
  spec: llamaDeploymentSpec.parse({ model: { name: "llama-3.1-405b-instruct" } }),
  plan: {
    ...base,
    model: "llama-3.1-405b-instruct",
    tensor: 8,
    gpusPerReplica: 8,
    weights: {
      format: "fp8",
      quantMethod: "compressed-tensors",
      source: {
        kind: "huggingFace",
        repository: "RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8-dynamic",
        revision: "1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d",
        gated: false,
      },
      totalBytes: 410_100_000_000,
      bytesPerNode: 410_100_000_000,
    },
    kvCache: "fp8",
    pod: {
      ...base.pod,
      gpus: 8,
      cpuMillicores: 192_000,
      memoryBytes: 1500 * gibibyte,
      ephemeralStorageBytes: 512 * gibibyte,
    },
    startupSeconds: 900,
  },
};

const groupOfTwo: Case = {
  name: "405b-bf16-over-two-nodes",
  owner: owner("llama-405b-bf16"),
  spec: llamaDeploymentSpec.parse({
    model: { name: "llama-3.1-405b-instruct", source: { huggingFace: { tokenSecretRef: token } } },
    quantization: { weights: "bf16" },
  }),
  plan: {
    ...fourHundredFiveB.plan,
    pipeline: 2,
    nodesPerReplica: 2,
    gpusPerReplica: 16,
    weights: {
      format: "bf16",
      source: {
        kind: "huggingFace",
        repository: "meta-llama/Llama-3.1-405B-Instruct",
        revision: "be673f326cab4cd22ccfef76109faf68e41aa5f1",
        gated: true,
      },
      totalBytes: 811_706_777_600,
      bytesPerNode: 405_853_388_800,
    },
    kvCache: "bf16",
    pod: { ...fourHundredFiveB.plan.pod, ephemeralStorageBytes: 832 * gibibyte },
    startupSeconds: 1200,
  },
};

const fromVolume: Case = {
  name: "8b-from-a-volume",
  owner: owner("llama-8b"),
  spec: llamaDeploymentSpec.parse({
    model: {
      name: "llama-3.1-8b-instruct",
      source: { persistentVolumeClaim: { claimName: "weights", path: "llama/8b" } },
    },
  }),
  plan: {
    ...base,
    weights: {
      ...base.weights,
      source: { kind: "persistentVolumeClaim", claimName: "weights", path: "llama/8b" },
    },
    pod: { ...base.pod, ephemeralStorageBytes: 10 * gibibyte },
  },
};

const overEfa: Case = {
  name: "405b-bf16-over-efa",
  owner: owner("llama-405b-bf16"),
  spec: groupOfTwo.spec,
  plan: {
    ...groupOfTwo.plan,
    pool: "p5",
    fabric: "efa",
    pod: { ...groupOfTwo.plan.pod, fabric: { "vpc.amazonaws.com/efa": "32" } },
    nodeSelector: { "node.kubernetes.io/instance-type": "p5.48xlarge" },
  },
};

/** Every golden manifest, by the name of its file. */
export const cases = {
  eightB,
  seventyB,
  fourHundredFiveB,
  groupOfTwo,
  fromVolume,
  overEfa,
} as const satisfies Readonly<Record<string, Case>>;
