// From what the spec says of a model to numbers: its architecture, and the checkpoints that may be served.
import type { LlamaDeploymentSpec } from "../../api/llama-deployment.ts";
import { architectureAt, checkpointsOf, formatsOfAuto } from "../../catalog/checkpoints.ts";
import type { Checkpoint } from "../../catalog/checkpoints.ts";
import { classifierRefusal, findClassifier } from "../../catalog/classifiers.ts";
import type { GpuArchitecture } from "../../catalog/gpus.ts";
import { parseEngineVersion } from "../../catalog/engines/version.ts";
import { findModel, models, nearestModels } from "../../catalog/models.ts";
import type { Architecture } from "../../catalog/models.ts";
import {
  architecturesOf,
  needsPlugin,
  unknownMethodProblem,
  usualBlock,
} from "../../catalog/quantisation.ts";
import type { WeightBlock, WeightScheme } from "../../catalog/quantisation.ts";
import { findArchitecture } from "../../catalog/relatives.ts";
import {
  bf16Layout,
  checkpointBytes,
  fp8Layout,
  int4Layout,
  int8Layout,
} from "../../catalog/weight-bytes.ts";
import type { WeightFormat, WeightLayout } from "../../catalog/weight-bytes.ts";
import { formatName, thousands } from "../messages/format.ts";
import type { Refusal, Weights } from "../plan.ts";
import { refuse } from "../refusal.ts";

/** One way to get the weights. */
export interface WeightsCandidate extends WeightScheme {
  readonly layout: WeightLayout;
  /** The checkpoint declares an FP8 KV cache, which engines follow where nobody says otherwise. */
  readonly declaresFp8KvCache?: boolean;
  readonly source: Weights["source"];
  readonly totalBytes: number;
  /** GPUs that run it; absent where all do. */
  readonly architectures?: readonly GpuArchitecture[];
  /** Loaded in BF16 and quantised by the engine: the BF16 weights must fit while it does. */
  readonly onTheFly: boolean;
  /** What the user should know of this choice. */
  readonly notes: readonly string[];
}

/** A model that can be planned for. */
export interface ResolvedModel {
  /** For people: the catalog's label, or the spec's own name. */
  readonly label: string;
  readonly architecture: Architecture;
  readonly maxModelLen: number;
  /** Preferred first; one at most of each format where the catalog decides. */
  readonly candidates: readonly WeightsCandidate[];
}

type WantedFormat = LlamaDeploymentSpec["quantization"]["weights"];

/** How a checkpoint of a format is laid out where the catalog does not know it better. */
export const defaultLayouts: Readonly<Record<WeightFormat, WeightLayout>> = {
  bf16: bf16Layout,
  fp8: fp8Layout,
  int8: int8Layout,
  int4: int4Layout,
};

/** Whether a checkpoint is one that the spec asks for, or leaves to the planner. */
function isWanted(format: WeightFormat, wanted: WantedFormat): boolean {
  return wanted === "auto" ? formatsOfAuto.includes(format) : format === wanted;
}

/** The checkpoint of the catalog that the spec's own source names. */
function namedCheckpoint({ model }: LlamaDeploymentSpec): Checkpoint | undefined {
  const repository = model.source?.huggingFace?.repository?.toLowerCase();
  return checkpointsOf(model.name).find((checkpoint) => checkpoint.repository.toLowerCase() === repository);
}

/** 405B was uploaded twice, with 16 key-value heads and with 8: the revision decides. */
function atRevision(spec: LlamaDeploymentSpec, architecture: Architecture): Architecture {
  const checkpoint = namedCheckpoint(spec);
  const revision = spec.model.source?.huggingFace?.revision;
  if (checkpoint === undefined || revision === undefined) return architecture;
  return architectureAt(architecture, checkpoint, revision).architecture;
}

function architectureOf(spec: LlamaDeploymentSpec): Architecture | Refusal {
  const { name, profile } = spec.model;
  if (profile !== undefined) return profile;
  const architecture = findModel(name)?.architecture ?? findArchitecture(name);
  if (architecture !== undefined) return atRevision(spec, architecture);
  const classifier = findClassifier(name);
  if (classifier !== undefined) return refuse("UnknownModel", classifierRefusal(classifier));
  return refuse(
    "UnknownModel",
    `the catalog has no model ${name}; nearest are ${nearestModels(name).join(", ")}. Any other model needs model.profile and model.source`,
  );
}

/** That a download will be refused for want of a token; none where it will not. */
export function gatedNote(spec: LlamaDeploymentSpec, repository: string, gated: boolean): readonly string[] {
  const hasToken =
    spec.model.source?.huggingFace?.tokenSecretRef !== undefined ||
    spec.engine.env.some(({ name }) => name === "HF_TOKEN");
  if (!gated || hasToken) return [];
  return [
    `${repository} is gated: without model.source.huggingFace.tokenSecretRef its download will be refused`,
  ];
}

/** The block that a scale belongs to: as it is stated, or as the format usually has it. */
function blockOf(scheme: WeightScheme, stated?: WeightBlock): { readonly block?: WeightBlock } {
  const block = stated ?? usualBlock(scheme);
  return block === undefined ? {} : { block };
}

function fromCheckpoint(
  spec: LlamaDeploymentSpec,
  architecture: Architecture,
  checkpoint: Checkpoint,
  revision: string,
): WeightsCandidate {
  const { repository, gated, quantMethod, declaresFp8KvCache } = checkpoint;
  const architectures = checkpoint.architectures ?? architecturesOf(quantMethod);
  const notCatalogs = checkpoint.revision !== undefined && checkpoint.revision !== revision;
  const { note } = architectureAt(architecture, checkpoint, revision);
  return {
    format: checkpoint.format,
    layout: checkpoint.layout,
    ...(quantMethod === undefined ? {} : { quantMethod }),
    ...blockOf(checkpoint),
    ...(declaresFp8KvCache === undefined ? {} : { declaresFp8KvCache }),
    ...(architectures === undefined ? {} : { architectures }),
    source: { kind: "huggingFace", repository, revision, gated },
    totalBytes: checkpointBytes(architecture, checkpoint.layout).total,
    onTheFly: false,
    notes: [
      ...gatedNote(spec, repository, gated),
      ...(note === undefined ? [] : [note]),
      ...(notCatalogs && note === undefined
        ? [
            `revision ${revision.slice(0, 12)} of ${repository} is not the catalog's; taken to have its architecture`,
          ]
        : []),
    ],
  };
}

/** The BF16 checkpoint, quantised by the engine while it loads. */
function onTheFly(candidate: WeightsCandidate): WeightsCandidate {
  return {
    ...candidate,
    format: "fp8",
    layout: fp8Layout,
    quantMethod: "fp8",
    onTheFly: true,
    notes: [...candidate.notes, "the checkpoint is BF16: the engine quantises it while it loads"],
  };
}

function fromCatalog(
  spec: LlamaDeploymentSpec,
  architecture: Architecture,
  wanted: WantedFormat,
): readonly WeightsCandidate[] | Refusal {
  const published = checkpointsOf(spec.model.name).filter(({ deprecated }) => deprecated !== true);
  const pinned = published.flatMap((checkpoint) =>
    checkpoint.revision === undefined
      ? []
      : [fromCheckpoint(spec, architecture, checkpoint, checkpoint.revision)],
  );
  const ofFormat = pinned.filter(({ format }) => isWanted(format, wanted));
  if (ofFormat.length > 0) return ofFormat;

  const source = pinned.find(({ format }) => format === "bf16");
  if (wanted === "fp8" && source !== undefined) return [onTheFly(source)];
  const unpinned = published.filter(({ format }) => isWanted(format, wanted));
  if (unpinned.length > 0) {
    const repositories = unpinned.map(({ repository }) => repository).join(" or ");
    return refuse(
      "InvalidSpec",
      `the catalog has no pinned revision of ${repositories}: set model.source.huggingFace.repository and revision (40 hex digits)`,
    );
  }
  if (wanted === "auto" || pinned.length === 0) return [];
  return refuse(
    "InvalidSpec",
    `the catalog has no ${formatName(wanted)} checkpoint of ${spec.model.name}: name one with model.source`,
  );
}

/** Weights of the spec's own repository: known to the catalog, or taken at the spec's word. */
function fromRepository(
  spec: LlamaDeploymentSpec,
  architecture: Architecture,
  repository: string,
  revision: string,
): WeightsCandidate {
  const known = namedCheckpoint(spec);
  if (known !== undefined && spec.model.profile === undefined) {
    return fromCheckpoint(spec, architecture, { ...known, repository }, revision);
  }
  return asStated(spec, architecture, repository, {
    kind: "huggingFace",
    repository,
    revision,
    gated: false,
  });
}

/** Weights that only the spec knows: its profile's, or what its format says. */
function asStated(
  spec: LlamaDeploymentSpec,
  architecture: Architecture,
  where: string,
  source: Weights["source"],
): WeightsCandidate {
  const { profile } = spec.model;
  const format = statedFormat(spec);
  const layout: WeightLayout = {
    ...defaultLayouts[format],
    ...(profile?.weightBytes === undefined ? {} : { stated: profile.weightBytes }),
  };
  const { quantMethod, quantBlock, declaresFp8KvCache } = profile ?? {};
  const scheme: WeightScheme = { format, ...(quantMethod === undefined ? {} : { quantMethod }) };
  const architectures = architecturesOf(quantMethod);
  return {
    ...scheme,
    layout,
    ...blockOf(scheme, quantBlock),
    ...(architectures === undefined ? {} : { architectures }),
    ...(declaresFp8KvCache === undefined ? {} : { declaresFp8KvCache }),
    source,
    totalBytes: checkpointBytes(architecture, layout).total,
    onTheFly: false,
    notes: [...assumedFormatNote(spec, where, format), ...pluginNote(spec, quantMethod)],
  };
}

/** The format that a source of unknown content is taken to hold. */
function statedFormat(spec: LlamaDeploymentSpec): WeightFormat {
  if (spec.model.profile !== undefined) return spec.model.profile.weights;
  return spec.quantization.weights === "auto" ? "bf16" : spec.quantization.weights;
}

/** That the published image does not load such weights; none where the spec names an image of its own. */
function pluginNote({ engine }: LlamaDeploymentSpec, quantMethod: string | undefined): readonly string[] {
  const version = parseEngineVersion(engine.version);
  if (engine.image !== undefined || version === undefined || !needsPlugin(quantMethod, version)) return [];
  return [
    `vLLM ${engine.version} loads ${quantMethod} through vllm-bnb-plugin, which its own image lacks: name one that has it in engine.image`,
  ];
}

function assumedFormatNote(
  spec: LlamaDeploymentSpec,
  where: string,
  format: WeightFormat,
): readonly string[] {
  if (spec.model.profile !== undefined || spec.quantization.weights !== "auto") return [];
  return [
    `${where} is taken to hold ${formatName(format)} weights; quantization.weights says otherwise where it does not`,
  ];
}

function fromVolume(
  spec: LlamaDeploymentSpec,
  architecture: Architecture,
  volume: { readonly claimName: string; readonly path?: string },
): WeightsCandidate {
  return asStated(spec, architecture, `volume ${volume.claimName}`, {
    kind: "persistentVolumeClaim",
    claimName: volume.claimName,
    ...(volume.path === undefined ? {} : { path: volume.path }),
  });
}

/** Holds a stated format against what the source has: FP8 of BF16 weights is made on the fly, the reverse is refused. */
function inWantedFormat(candidate: WeightsCandidate, wanted: WantedFormat): WeightsCandidate | Refusal {
  if (wanted === "auto" || wanted === candidate.format) return candidate;
  if (wanted === "fp8" && candidate.format === "bf16") return onTheFly(candidate);
  return refuse(
    "InvalidSpec",
    `quantization.weights is ${wanted}, but model.source holds ${formatName(candidate.format)} weights: name ${wanted === "bf16" ? "a" : "an"} ${formatName(wanted)} checkpoint, or set quantization.weights to ${candidate.format}`,
  );
}

function candidatesOf(
  spec: LlamaDeploymentSpec,
  architecture: Architecture,
): readonly WeightsCandidate[] | Refusal {
  const { source } = spec.model;
  const wanted = spec.quantization.weights;
  const { repository, revision } = source?.huggingFace ?? {};
  let candidate: WeightsCandidate | Refusal;
  if (source?.persistentVolumeClaim !== undefined) {
    candidate = inWantedFormat(fromVolume(spec, architecture, source.persistentVolumeClaim), wanted);
  } else if (repository !== undefined && revision !== undefined) {
    candidate = inWantedFormat(fromRepository(spec, architecture, repository, revision), wanted);
  } else {
    return fromCatalog(spec, architecture, wanted);
  }
  return "kind" in candidate ? candidate : [candidate];
}

/** What vLLM would not load, although its memory could be planned. */
function loadingProblem(spec: LlamaDeploymentSpec, quantMethod: string): string | undefined {
  const flag = "allow-deprecated-quantization";
  if (quantMethod === "gguf") {
    return "vLLM loads no GGUF files any more: name a checkpoint in safetensors";
  }
  if (quantMethod === "fbgemm_fp8" && spec.engine.args[flag] === undefined) {
    return `fbgemm_fp8, Meta's own FP8, is deprecated in vLLM: set engine.args.${flag} to "", or leave the source to the catalog, whose FP8 is a sixth smaller`;
  }
  return unknownMethodProblem(quantMethod);
}

/** Looks the model and its weights up; refuses what is unknown and what is longer than the model. */
export function resolveModel(spec: LlamaDeploymentSpec): ResolvedModel | Refusal {
  const architecture = architectureOf(spec);
  if ("kind" in architecture) return architecture;
  const label = models.find(({ name }) => name === spec.model.name)?.label ?? spec.model.name;
  const maxModelLen = spec.context.maxTokens ?? architecture.maxPositions;
  if (maxModelLen > architecture.maxPositions) {
    return refuse(
      "ContextTooLong",
      `context.maxTokens is ${thousands(maxModelLen)}, and ${label} ends at ${thousands(architecture.maxPositions)}`,
    );
  }
  const candidates = candidatesOf(spec, architecture);
  // What the checkpoint is decides, whatever else is asked of it.
  const declared = spec.model.profile?.quantMethod ?? [];
  const methods = "kind" in candidates ? [] : candidates.flatMap(({ quantMethod }) => quantMethod ?? []);
  const [unloadable] = [declared, methods].flat().flatMap((method) => loadingProblem(spec, method) ?? []);
  if (unloadable !== undefined) return refuse("InvalidSpec", unloadable);
  if ("kind" in candidates) return candidates;
  if (candidates.length === 0) {
    return refuse(
      "InvalidSpec",
      `model ${spec.model.name} needs model.source: its weights are in no catalog`,
    );
  }
  return { label, architecture, maxModelLen, candidates };
}
