// A revision: what shapes the pods of one version of a LlamaDeployment, rendered once and kept. Its identity is the
// intent, never the rendering: an operator that renders differently reads the stored templates and restarts nothing.
import { createHash } from "node:crypto";
import type { IPodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
import {
  canonicalJson,
  llamaDeploymentSpec,
  structuralSchema,
  withoutDefaults,
  type LlamaDeploymentSpec,
  type StructuralSchema,
} from "@llama-operator/llama/api";
import type { Plan } from "@llama-operator/llama/planning";
import type { Owner } from "./names.ts";
import { podTemplate } from "./pod/pod-template.ts";
import { startupBudgetSeconds } from "./pod/probes.ts";

/** The parts of the plan that are a decision, without the estimates and explanations that a later version rewords. */
type Layout = Omit<
  Plan,
  | "kind"
  | "model"
  | "gpu"
  | "weights"
  | "memoryPerGpu"
  | "kvCacheTokens"
  | "expectedKvCacheTokens"
  | "maxConcurrency"
  | "startupSeconds"
  | "startup"
  | "because"
> & {
  readonly weights: Pick<Plan["weights"], "format" | "quantMethod"> & { readonly source: WeightsLocation };
};

/** Where the weights are, without what the catalog knows of the place. */
type WeightsLocation =
  | { readonly kind: "huggingFace"; readonly repository: string; readonly revision: string }
  | { readonly kind: "persistentVolumeClaim"; readonly claimName: string; readonly path?: string };

/** What was wanted: the spec's parts that shape pods beside the plan, and the plan's layout. Hashed. */
export interface Intent {
  readonly model: string;
  readonly tokenSecretRef?: { readonly name: string; readonly key: string };
  readonly engine: LlamaDeploymentSpec["engine"];
  readonly podTemplate: LlamaDeploymentSpec["podTemplate"];
  readonly layout: Layout;
}

/** What a ControllerRevision stores. */
export interface RevisionData {
  /** {@link revisionHash} of the intent; the value of the revision label. */
  readonly hash: string;
  /** Where its pods are placed, if not where it was planned for: {@link placedAt} made it. Not stored. */
  readonly placement?: string;
  readonly intent: Intent;
  /** The plan as it was made, numbers and explanations included. */
  readonly plan: Plan;
  /** Seconds that a container of this revision may take until it answers. */
  readonly startupBudgetSeconds: number;
  readonly templates: {
    readonly serving: IPodTemplateSpec;
    /** Headless ranks, where a replica spans nodes. */
    readonly worker?: IPodTemplateSpec;
  };
}

export function intentOf(spec: LlamaDeploymentSpec, plan: Plan): Intent {
  const { weights, nodesPerReplica } = plan;
  const token =
    weights.source.kind === "huggingFace" ? spec.model.source?.huggingFace?.tokenSecretRef : undefined;
  return {
    model: spec.model.name,
    ...(token === undefined ? {} : { tokenSecretRef: token }),
    engine: spec.engine,
    podTemplate: spec.podTemplate,
    layout: {
      pool: plan.pool,
      fabric: plan.fabric,
      tensor: plan.tensor,
      pipeline: plan.pipeline,
      nodesPerReplica,
      gpusPerReplica: plan.gpusPerReplica,
      weights: {
        format: weights.format,
        ...(weights.quantMethod === undefined ? {} : { quantMethod: weights.quantMethod }),
        source: locationOf(weights),
      },
      kvCache: plan.kvCache,
      engine: plan.engine,
      limits: plan.limits,
      pod: plan.pod,
      nodeSelector: plan.nodeSelector,
      tolerations: plan.tolerations,
    },
  };
}

function locationOf({ source }: Plan["weights"]): WeightsLocation {
  if (source.kind === "persistentVolumeClaim") return source;
  return { kind: source.kind, repository: source.repository, revision: source.revision };
}

/**
 * Ten hex digits of SHA-256 over an intent with the placement that it was made for; short enough for a label and a name.
 * A name alone: what is stored is found by {@link identityOf}.
 */
export function revisionHash(intent: Intent): string {
  return createHash("sha256")
    .update(canonicalJson(stated(intent, specSchemas)))
    .digest("hex")
    .slice(0, 10);
}

/** The parts of an intent that are the spec's own, as a person wrote them or the CRD's defaults filled them in. */
type SpecParts = Pick<Intent, "engine" | "podTemplate">;

/**
 * Members whose defaults are part of every identity since the first release: leaving them out would change stored
 * identities. A field that is added to the kind is not listed here.
 */
const membersSinceTheFirst: { readonly [K in keyof SpecParts]: readonly string[] } = {
  engine: ["type", "version", "args", "env"],
  podTemplate: ["labels", "annotations", "imagePullSecrets"],
};

/**
 * What two intents have in common when they mean the same pods, wherever these are placed, as canonical JSON. A field that
 * was added to the kind later counts only where this release knows it and it differs from its default: so neither an upgrade that adds one, nor
 * a CRD that is newer than the operator, nor a revision that was stored before restarts anything.
 *
 * @param schemas of the spec's own parts, of this release; a parameter for tests of what a later one may add
 */
export function identityOf(intent: Intent, schemas: SpecSchemas = specSchemas): string {
  return canonicalJson({ ...stated(intent, schemas), layout: shapeOf(intent.layout) });
}

function stated(intent: Intent, schemas: SpecSchemas): object {
  const { engine, podTemplate } = intent;
  return {
    ...intent,
    engine: withoutDefaults(engine, schemas.engine, membersSinceTheFirst.engine),
    podTemplate: withoutDefaults(podTemplate, schemas.podTemplate, membersSinceTheFirst.podTemplate),
  };
}

/** A layout without what a pool decides; its fabric counts where several nodes are joined by it. */
function shapeOf(layout: Layout): object {
  const { pool: _, nodeSelector: __, tolerations: ___, pod: ____, fabric, ...shape } = layout;
  return shape.nodesPerReplica > 1 ? { ...shape, fabric } : shape;
}

type SpecSchemas = Readonly<Record<keyof SpecParts, StructuralSchema>>;

const specSchemas: SpecSchemas = {
  engine: structuralSchema(llamaDeploymentSpec.shape.engine),
  podTemplate: structuralSchema(llamaDeploymentSpec.shape.podTemplate),
};

/** Renders the revision of a spec and its plan. Call it only where no stored revision has the same hash. */
export function renderRevision(input: {
  readonly owner: Owner;
  readonly spec: LlamaDeploymentSpec;
  readonly plan: Plan;
}): RevisionData {
  const { spec, plan } = input;
  const intent = intentOf(spec, plan);
  const hash = revisionHash(intent);
  const template = (role: "single" | "leader" | "worker") =>
    podTemplate({ ...input, revision: hash, rank: { role } });
  return {
    hash,
    intent,
    plan,
    startupBudgetSeconds: startupBudgetSeconds(plan),
    templates:
      plan.nodesPerReplica > 1
        ? { serving: template("leader"), worker: template("worker") }
        : { serving: template("single") },
  };
}

/** Whether a replica is a group of pods, a LeaderWorkerSet, rather than one pod of a Deployment. */
export function spansNodes({ templates }: RevisionData): boolean {
  return templates.worker !== undefined;
}

/** Image and command line of the serving rank, for `status.plan`. */
export function servingCommand({ templates }: RevisionData): {
  readonly image: string;
  readonly command: readonly string[];
} {
  const container = templates.serving.spec?.containers[0];
  return {
    image: container?.image ?? "",
    command: [...(container?.command ?? []), ...(container?.args ?? [])],
  };
}
