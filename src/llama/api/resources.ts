// The two kinds as the API server serves them: where their URLs lie, and the shape of a whole object.
// The descriptors are plain data, so that any client can take them; the parsers read a manifest from a file.
import { z } from "zod";
import { type GpuPoolSpec, type GpuPoolStatus, gpuPoolSpec, gpuPoolStatus } from "./gpu-pool.ts";
import {
  type LlamaDeploymentSpec,
  type LlamaDeploymentStatus,
  deploymentNameRule,
  llamaDeploymentSpec,
  llamaDeploymentStatus,
} from "./llama-deployment.ts";
import { objectName } from "./schema.ts";
import { type ManifestProblem, apiServerMessage, manifestProblems } from "./validation-messages.ts";

export const apiGroup = "llama-operator.dev";
export const apiGroupVersion = `${apiGroup}/v1alpha1` as const;

/** LlamaDeployments: namespaced. */
export const llamaDeployments = {
  group: apiGroup,
  version: "v1alpha1",
  kind: "LlamaDeployment",
  plural: "llamadeployments",
  namespaced: true,
} as const;

/** GpuPools: cluster-scoped. */
export const gpuPools = {
  group: apiGroup,
  version: "v1alpha1",
  kind: "GpuPool",
  plural: "gpupools",
  namespaced: false,
} as const;

/** The metadata that both kinds carry; timestamps are RFC 3339. */
export interface ResourceMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

/** A LlamaDeployment, its spec with all defaults, as the API server returns it. */
export interface LlamaDeployment {
  readonly apiVersion: typeof apiGroupVersion;
  readonly kind: "LlamaDeployment";
  readonly metadata: ResourceMetadata;
  readonly spec: LlamaDeploymentSpec;
  readonly status?: LlamaDeploymentStatus;
}

/** A GpuPool, its spec with all defaults, as the API server returns it. */
export interface GpuPool {
  readonly apiVersion: typeof apiGroupVersion;
  readonly kind: "GpuPool";
  readonly metadata: ResourceMetadata;
  readonly spec: GpuPoolSpec;
  readonly status?: GpuPoolStatus;
}

/** A manifest that was read, or all that is wrong with it. */
export type ParsedManifest<T> =
  | { readonly ok: true; readonly object: T }
  | { readonly ok: false; readonly problems: readonly ManifestProblem[] };

const llamaDeploymentManifest = z.strictObject({
  apiVersion: z.literal(apiGroupVersion),
  kind: z.literal("LlamaDeployment"),
  metadata: z.looseObject({
    name: z
      .string()
      .refine((name) => deploymentNameRule.holds({ metadata: { name } }), deploymentNameRule.message),
  }),
  spec: llamaDeploymentSpec,
  status: llamaDeploymentStatus.exactOptional(),
});

const gpuPoolManifest = z.strictObject({
  apiVersion: z.literal(apiGroupVersion),
  kind: z.literal("GpuPool"),
  metadata: z.looseObject({ name: objectName }),
  spec: gpuPoolSpec,
  status: gpuPoolStatus.exactOptional(),
});

/** Reads a LlamaDeployment as the API server would with strict field validation; defaults are filled in. */
export function parseLlamaDeployment(manifest: unknown): ParsedManifest<LlamaDeployment> {
  return parse(llamaDeploymentManifest, manifest);
}

/** Reads a GpuPool as the API server would with strict field validation; defaults are filled in. */
export function parseGpuPool(manifest: unknown): ParsedManifest<GpuPool> {
  return parse(gpuPoolManifest, manifest);
}

function parse<T extends { readonly metadata: { readonly name: string } }>(
  schema: z.ZodType<T>,
  manifest: unknown,
): ParsedManifest<T> {
  const result = schema.safeParse(withoutNulls(manifest), { error: apiServerMessage });
  return result.success
    ? { ok: true, object: result.data }
    : { ok: false, problems: manifestProblems(result.error.issues) };
}

/** The API server drops fields that are null (`context:` with nothing behind it) before it validates. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child)]),
  );
}
