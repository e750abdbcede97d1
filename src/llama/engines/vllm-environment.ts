// The environment of vLLM's container: where it may write, how ranks find each other, what it must not send home.
// Three layers: what the operator owns, what it suggests, and what the user adds or replaces.
import { fabrics } from "../catalog/fabrics.ts";
import type { LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { EngineInput, EnvironmentVariable } from "./engine.ts";

/** The one directory, a volume, that weights and compiled kernels are cached in. */
export const cacheDirectory = "/var/cache/vllm";

/** Everything that would otherwise be written to the image's own directories, which are read-only. */
const directories: Readonly<Record<string, string>> = {
  HOME: cacheDirectory,
  HF_HOME: `${cacheDirectory}/huggingface`,
  VLLM_CACHE_ROOT: `${cacheDirectory}/vllm`,
  VLLM_CONFIG_ROOT: `${cacheDirectory}/config`,
  XDG_CACHE_HOME: `${cacheDirectory}/xdg`,
  TORCHINDUCTOR_CACHE_DIR: `${cacheDirectory}/torchinductor`,
  TRITON_CACHE_DIR: `${cacheDirectory}/triton`,
  CUDA_CACHE_PATH: `${cacheDirectory}/cuda`,
};

const fixed: Readonly<Record<string, string>> = {
  ...directories,
  // torch asks for the user's name, and dies where the image's passwd has none for the uid.
  USER: "vllm",
  VLLM_NO_USAGE_STATS: "1",
  DO_NOT_TRACK: "1",
  HF_HUB_DISABLE_TELEMETRY: "1",
};

/** `n` of a request may be 16384 otherwise: one request then takes the server down (CVE-2025-48944's class). */
const suggested: Readonly<Record<string, string>> = { VLLM_MAX_N_SEQUENCES: "128" };

/** A volume holds everything; reaching for the hub would only hang where there is no way out. */
const offline: Readonly<Record<string, string>> = { HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" };

function plain(variables: Readonly<Record<string, string>>): readonly EnvironmentVariable[] {
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

/** Variables of the container, each name once. */
export function vllmEnvironment({ spec, plan }: EngineInput): readonly EnvironmentVariable[] {
  const owned = [
    ...plain(fixed),
    // Without it vLLM's ranks talk on whichever interface they find first.
    { name: "VLLM_HOST_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    ...(plan.weights.source.kind === "huggingFace" ? hubToken(spec) : plain(offline)),
  ];
  const own = spec.engine.env.filter(({ name }) => !isOwned(name)).map(fromSpec);
  const fabric = plan.nodesPerReplica > 1 ? fabrics[plan.fabric].env : {};
  const defaults = plain({ ...suggested, ...fabric }).filter(
    ({ name }) => !own.some((variable) => variable.name === name),
  );
  return [...owned, ...defaults, ...own];
}

/** The token reaches the container through the kubelet alone; the operator never reads it. */
function hubToken(spec: LlamaDeploymentSpec): readonly EnvironmentVariable[] {
  const token = spec.model.source?.huggingFace?.tokenSecretRef;
  if (token === undefined) return [];
  return [{ name: "HF_TOKEN", valueFrom: { secretKeyRef: { name: token.name, key: token.key } } }];
}

function fromSpec(variable: LlamaDeploymentSpec["engine"]["env"][number]): EnvironmentVariable {
  const { name, value, secretKeyRef } = variable;
  return secretKeyRef === undefined
    ? { name, value: value ?? "" }
    : { name, valueFrom: { secretKeyRef: { name: secretKeyRef.name, key: secretKeyRef.key } } };
}

/** Names that the user may not set. LeaderWorkerSet drops its own from the container in any case. */
const ownedNames: ReadonlySet<string> = new Set([
  ...Object.keys(fixed),
  ...Object.keys(offline),
  "VLLM_HOST_IP",
  "HF_TOKEN",
  "HUGGING_FACE_HUB_TOKEN",
  "LWS_LEADER_ADDRESS",
  "LWS_GROUP_SIZE",
  "LWS_WORKER_INDEX",
]);

function isOwned(name: string): boolean {
  return ownedNames.has(name);
}

/** One sentence for each variable that the operator sets itself. */
export function refusedEnvironment(env: LlamaDeploymentSpec["engine"]["env"]): readonly string[] {
  return env
    .map(({ name }) => name)
    .filter(isOwned)
    .map((name) =>
      name === "HF_TOKEN" || name === "HUGGING_FACE_HUB_TOKEN"
        ? `spec.engine.env: ${name} comes from spec.model.source.huggingFace.tokenSecretRef`
        : `spec.engine.env: ${name} is set by the operator`,
    );
}
