// One table of manifests and what must be said of them. The unit tests run it against zod, the integration tests
// against a real API server: a rule that holds on one side only fails here.
import { apiGroupVersion } from "../api/resources.ts";

export interface ValidationCase {
  /** The end of a sentence: "accepts …" or "refuses …". */
  readonly name: string;
  readonly manifest: Readonly<Record<string, unknown>> & { readonly kind: "LlamaDeployment" | "GpuPool" };
}

export interface RefusedCase extends ValidationCase {
  readonly refused: {
    /** Field to blame. */
    readonly path: string;
    /** Part of the message, on both sides. */
    readonly message: string;
  };
}

const revision = "0e9e39f249a16976918f6564b8830bc894c89659";
const model = { name: "llama-3.1-8b-instruct" };
const profile = {
  hiddenSize: 4096,
  layers: 32,
  attentionHeads: 32,
  keyValueHeads: 8,
  headDimension: 128,
  feedForwardSize: 14336,
  vocabularySize: 128256,
  maxPositions: 131072,
};

function deployment(
  spec: Readonly<Record<string, unknown>>,
  metadata: Readonly<Record<string, unknown>> = { name: "llama" },
): ValidationCase["manifest"] {
  return { apiVersion: apiGroupVersion, kind: "LlamaDeployment", metadata, spec: { model, ...spec } };
}

function pool(spec: Readonly<Record<string, unknown>>): ValidationCase["manifest"] {
  const gpu = { product: "nvidia-h100-80gb", perNode: 8 };
  return {
    apiVersion: apiGroupVersion,
    kind: "GpuPool",
    metadata: { name: "validation-case" },
    spec: { gpu, ...spec },
  };
}

const entries = (count: number, value: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`entry-${index}`, value]));

const refuse = (
  name: string,
  manifest: ValidationCase["manifest"],
  path: string,
  message: string,
): RefusedCase => ({ name, manifest, refused: { path, message } });

const nameMessage = "the name must start with a letter and hold only a-z, 0-9 and -";

const names: readonly (ValidationCase | RefusedCase)[] = [
  { name: "a name of one letter", manifest: deployment({}, { name: "a" }) },
  { name: "a name of 40 characters", manifest: deployment({}, { name: `a${"b".repeat(39)}` }) },
  refuse(
    "a name of 41 characters",
    deployment({}, { name: `a${"b".repeat(40)}` }),
    "metadata.name",
    nameMessage,
  ),
  refuse("a name with dots", deployment({}, { name: "llama-3.1" }), "metadata.name", nameMessage),
  refuse("a name that starts with a digit", deployment({}, { name: "8b" }), "metadata.name", nameMessage),
];

const models: readonly (ValidationCase | RefusedCase)[] = [
  { name: "a LlamaDeployment of a catalog model alone", manifest: deployment({}) },
  {
    name: "the catalog's repository with a token",
    manifest: deployment({
      model: { ...model, source: { huggingFace: { tokenSecretRef: { name: "hf", key: "token" } } } },
    }),
  },
  {
    name: "a model of one's own with profile and volume",
    manifest: deployment({
      model: {
        name: "ours",
        profile,
        source: { persistentVolumeClaim: { claimName: "weights", path: "a/b" } },
      },
    }),
  },
  {
    name: "a profile as inspect prints it",
    manifest: deployment({
      model: {
        name: "ours",
        profile: {
          ...profile,
          weights: "int4",
          weightBytes: { layers: 3_800_000_000, embeddings: 1_050_673_152, head: 0 },
          quantMethod: "compressed-tensors",
          quantBlock: { outputs: 1, inputs: 64 },
          declaresFp8KvCache: true,
        },
        source: { huggingFace: { repository: "a/b2", revision } },
      },
    }),
  },
  refuse(
    "weights without bytes",
    deployment({
      model: {
        name: "ours",
        profile: { ...profile, weightBytes: { layers: 0, embeddings: 1, head: 0 } },
        source: { huggingFace: { repository: "a/b2", revision } },
      },
    }),
    "spec.model.profile.weightBytes.layers",
    "greater than or equal to 1",
  ),
  refuse("a missing spec", { ...deployment({}), spec: undefined }, "spec", "Required value"),
  refuse("a missing model", deployment({ model: undefined }), "spec.model", "Required value"),
  refuse(
    "a branch name as revision",
    deployment({ model: { ...model, source: { huggingFace: { repository: "a/b2", revision: "main" } } } }),
    "spec.model.source.huggingFace.revision",
    "must be a full commit hash (40 hex digits): branches and tags move",
  ),
  refuse(
    "a repository without a revision",
    deployment({ model: { ...model, source: { huggingFace: { repository: "a/b2" } } } }),
    "spec.model.source.huggingFace",
    "set repository and revision together",
  ),
  refuse(
    "a repository that is a URL",
    deployment({
      model: { ...model, source: { huggingFace: { repository: "https://huggingface.co/a/b", revision } } },
    }),
    "spec.model.source.huggingFace.repository",
    "should match '^[A-Za-z0-9]",
  ),
  refuse(
    "both sources",
    deployment({
      model: {
        ...model,
        source: {
          huggingFace: { repository: "a/b2", revision },
          persistentVolumeClaim: { claimName: "weights" },
        },
      },
    }),
    "spec.model.source",
    "set exactly one of huggingFace and persistentVolumeClaim",
  ),
  refuse(
    "an empty source",
    deployment({ model: { ...model, source: {} } }),
    "spec.model.source",
    "set exactly one of huggingFace and persistentVolumeClaim",
  ),
  refuse(
    "a profile without a source",
    deployment({ model: { name: "ours", profile } }),
    "spec.model.source",
    "a model with a profile needs a source",
  ),
  refuse(
    "a profile with the catalog's source",
    deployment({ model: { name: "ours", profile, source: { huggingFace: {} } } }),
    "spec.model.source",
    "a model with a profile needs a source",
  ),
  refuse(
    "a path that climbs out of its volume",
    deployment({
      model: { ...model, source: { persistentVolumeClaim: { claimName: "weights", path: "a/../../b" } } },
    }),
    "spec.model.source.persistentVolumeClaim.path",
    "must stay inside the volume",
  ),
];

const engines: readonly (ValidationCase | RefusedCase)[] = [
  {
    name: "further flags and variables",
    manifest: deployment({
      engine: {
        args: { "max-num-seqs": "128", "enable-auto-tool-choice": "" },
        env: [
          { name: "VLLM_LOGGING_LEVEL", value: "DEBUG" },
          { name: "VLLM_API_KEY", secretKeyRef: { name: "key", key: "token" } },
        ],
      },
    }),
  },
  refuse(
    "a flag that the plan owns",
    deployment({ engine: { args: { "tensor-parallel-size": "2" } } }),
    "spec.engine.args",
    "these flags follow from the plan",
  ),
  refuse(
    "a flag with dashes in front",
    deployment({ engine: { args: { "--max-num-seqs": "2" } } }),
    "spec.engine.args",
    "flags are written in full and without leading dashes",
  ),
  refuse(
    "a secret on the command line",
    deployment({ engine: { args: { "api-key": "sk-123" } } }),
    "spec.engine.args",
    "secrets do not belong on a command line",
  ),
  refuse(
    "a thousand flags",
    deployment({ engine: { args: entries(1000, "1") } }),
    "spec.engine.args",
    "must have at most 32 items",
  ),
  refuse(
    "a variable with both value and secret",
    deployment({
      engine: { env: [{ name: "A", value: "1", secretKeyRef: { name: "s", key: "k" } }] },
    }),
    "spec.engine.env[0]",
    "set exactly one of value and secretKeyRef",
  ),
  refuse(
    "a variable with neither value nor secret",
    deployment({ engine: { env: [{ name: "A" }] } }),
    "spec.engine.env[0]",
    "set exactly one of value and secretKeyRef",
  ),
  refuse(
    "a variable that is set twice",
    deployment({
      engine: {
        env: [
          { name: "A", value: "1" },
          { name: "A", value: "2" },
        ],
      },
    }),
    "spec.engine.env[1]",
    "Duplicate value",
  ),
  refuse(
    "a thousand variables",
    deployment({
      engine: { env: Array.from({ length: 1000 }, (_, index) => ({ name: `A${index}`, value: "1" })) },
    }),
    "spec.engine.env",
    "must have at most 32 items",
  ),
  refuse(
    "an unknown engine",
    deployment({ engine: { type: "vlmm" } }),
    "spec.engine.type",
    'supported values: "vllm"',
  ),
];

const shapes: readonly (ValidationCase | RefusedCase)[] = [
  {
    name: "sections that are left empty",
    manifest: deployment({ model: { ...model, source: null }, context: null, engine: { args: null } }),
  },
  { name: "no replicas", manifest: deployment({ replicas: 0 }) },
  {
    name: "an annotation of the simulation",
    manifest: deployment({ podTemplate: { annotations: { "sim.llama-operator.dev/crash-after": "10s" } } }),
  },
  refuse(
    "negative replicas",
    deployment({ replicas: -1 }),
    "spec.replicas",
    "should be greater than or equal to 0",
  ),
  refuse(
    "too many replicas",
    deployment({ replicas: 1001 }),
    "spec.replicas",
    "should be less than or equal to 1000",
  ),
  refuse(
    "replicas in quotes",
    deployment({ replicas: "2" }),
    "spec.replicas",
    'must be of type integer: "string"',
  ),
  refuse(
    "half a replica",
    deployment({ replicas: 0.5 }),
    "spec.replicas",
    'must be of type integer: "number"',
  ),
  refuse(
    "a tensor parallel degree of zero",
    deployment({ parallelism: { tensor: 0 } }),
    "spec.parallelism.tensor",
    "should be greater than or equal to 1",
  ),
  refuse(
    "an unknown weight format",
    deployment({ quantization: { weights: "int3" } }),
    "spec.quantization.weights",
    'supported values: "auto", "bf16", "fp8"',
  ),
  refuse(
    "a misspelt field",
    deployment({ quantisation: { weights: "fp8" } }),
    "spec.quantisation",
    'unknown field "spec.quantisation"',
  ),
  refuse(
    "an unknown field inside a list",
    deployment({ engine: { env: [{ name: "A", value: "1", valueFrom: {} }] } }),
    "spec.engine.env[0].valueFrom",
    'unknown field "spec.engine.env[0].valueFrom"',
  ),
  refuse(
    "a label that the operator sets itself",
    deployment({ podTemplate: { labels: { "llama-operator.dev/deployment": "other" } } }),
    "spec.podTemplate.labels",
    "the operator sets these labels itself",
  ),
  refuse(
    "a label whose key has a space",
    deployment({ podTemplate: { labels: { "a b": "c" } } }),
    "spec.podTemplate.labels",
    "keys are an optional DNS prefix",
  ),
  refuse(
    "an annotation that the operator sets itself",
    deployment({ podTemplate: { annotations: { "llama-operator.dev/revision": "x" } } }),
    "spec.podTemplate.annotations",
    "the operator sets these annotations itself",
  ),
  // What pods refuse, and a person would learn of only from a workload that makes none.
  ...["a..b", "a.-b", "a-.b", "a."].map((name) =>
    refuse(
      `a PriorityClass named ${name}`,
      deployment({ podTemplate: { priorityClassName: name } }),
      "spec.podTemplate.priorityClassName",
      "should match '^[a-z0-9]",
    ),
  ),
  refuse(
    "a ServiceAccount with an empty part in its name",
    deployment({ podTemplate: { serviceAccountName: "a..b" } }),
    "spec.podTemplate.serviceAccountName",
    "should match '^[a-z0-9]",
  ),
  {
    name: "a name of several parts",
    manifest: deployment({ podTemplate: { serviceAccountName: "a-1.b2.c" } }),
  },
  {
    name: "names that pods do not look at",
    manifest: deployment({ podTemplate: { schedulerName: "a..b", imagePullSecrets: [{ name: "a..b" }] } }),
  },
  ...[".", "..", "..data"].map((key) =>
    refuse(
      `a Secret's key ${key}`,
      deployment({ engine: { env: [{ name: "A", secretKeyRef: { name: "s", key } }] } }),
      "spec.engine.env[0].secretKeyRef.key",
      "should match '^",
    ),
  ),
  {
    name: "a Secret's key that begins with a dot",
    manifest: deployment({ engine: { env: [{ name: "A", secretKeyRef: { name: "s", key: ".a..b" } }] } }),
  },
  refuse(
    "a label whose prefix has an empty part",
    deployment({ podTemplate: { labels: { "a..b/c": "d" } } }),
    "spec.podTemplate.labels",
    "keys are an optional DNS prefix",
  ),
  {
    name: "a label whose name has dots",
    manifest: deployment({ podTemplate: { labels: { "a.b/c..d": "e" } } }),
  },
  refuse(
    "annotations of more bytes than pods take",
    deployment({ podTemplate: { annotations: entries(32, "🦙".repeat(2048)) } }),
    "spec.podTemplate.annotations",
    "keys and values may have 262144 bytes in all",
  ),
  {
    name: "annotations of nearly as many bytes as pods take",
    manifest: deployment({ podTemplate: { annotations: entries(31, "🦙".repeat(2048)) } }),
  },
  refuse(
    "a thousand labels",
    deployment({ podTemplate: { labels: entries(1000, "x") } }),
    "spec.podTemplate.labels",
    "must have at most 32 items",
  ),
];

const pools: readonly (ValidationCase | RefusedCase)[] = [
  { name: "a GpuPool of a GPU and its number alone", manifest: pool({}) },
  {
    name: "a pool with fabric, taints and sizes",
    manifest: pool({
      machineShape: "p5.48xlarge",
      allocatable: { cpu: "190", memory: "1.9Ti", ephemeralStorage: "27e12" },
      nodeSelector: { "node.kubernetes.io/instance-type": "p5.48xlarge" },
      tolerations: [
        { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
        { operator: "Exists" },
      ],
      nodes: { max: 4 },
      fabric: { type: "efa", resources: { "vpc.amazonaws.com/efa": "32" } },
      capacity: "capacityBlock",
    }),
  },
  refuse("a pool without GPUs", pool({ gpu: undefined }), "spec.gpu", "Required value"),
  refuse(
    "more GPUs than a node has",
    pool({ gpu: { product: "nvidia-h100-80gb", perNode: 17 } }),
    "spec.gpu.perNode",
    "should be less than or equal to 16",
  ),
  refuse(
    "a malformed quantity",
    pool({ allocatable: { memory: "12 GB" } }),
    "spec.allocatable.memory",
    "should match '^[0-9]+",
  ),
  refuse(
    "a toleration with operator Exists and a value",
    pool({ tolerations: [{ key: "gpu", operator: "Exists", value: "true" }] }),
    "spec.tolerations[0].value",
    "a toleration with operator Exists takes no value",
  ),
  refuse(
    "a toleration with neither key nor operator Exists",
    pool({ tolerations: [{ value: "true" }] }),
    "spec.tolerations[0].key",
    "a toleration without a key needs operator Exists",
  ),
  refuse(
    "a toleration whose key has an empty part",
    pool({ tolerations: [{ key: "a..b/c", operator: "Exists" }] }),
    "spec.tolerations[0].key",
    "keys are an optional DNS prefix",
  ),
  refuse(
    "an extended resource whose prefix has an empty part",
    pool({ gpu: { product: "nvidia-h100-80gb", perNode: 8, resourceName: "nvidia..com/gpu" } }),
    "spec.gpu.resourceName",
    "should match '^[a-z0-9]",
  ),
  refuse(
    "a thousand tolerations",
    pool({ tolerations: Array.from({ length: 1000 }, () => ({ operator: "Exists" })) }),
    "spec.tolerations",
    "must have at most 16 items",
  ),
  refuse(
    "fabric resources without a fabric",
    pool({ fabric: { resources: { "vpc.amazonaws.com/efa": "32" } } }),
    "spec.fabric.resources",
    "resources need a fabric type",
  ),
  refuse(
    "a fabric resource without a domain",
    pool({ fabric: { type: "efa", resources: { efa: "32" } } }),
    "spec.fabric.resources",
    "keys are extended resources",
  ),
  refuse(
    "an unknown kind of capacity",
    pool({ capacity: "on-demand" }),
    "spec.capacity",
    'supported values: "onDemand", "spot"',
  ),
];

const cases: readonly (ValidationCase | RefusedCase)[] = [
  ...names,
  ...models,
  ...engines,
  ...shapes,
  ...pools,
];

const isRefused = (one: ValidationCase | RefusedCase): one is RefusedCase => "refused" in one;

export const acceptedCases: readonly ValidationCase[] = cases.filter((one) => !isRefused(one));
export const refusedCases: readonly RefusedCase[] = cases.filter(isRefused);
