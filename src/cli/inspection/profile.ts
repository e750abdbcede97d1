// From the tensors of a checkpoint to the facts that a user reads and the `profile` that the planner reads.
import { modelProfile, type ModelProfile } from "@llama-operator/llama/api";
import { type Architecture, parameterCount } from "@llama-operator/llama/catalog";
import { partBytes, placeTensors } from "./checkpoint-parts.ts";
import type { PartBytes, PlacedTensor } from "./checkpoint-parts.ts";
import { checkConsistency } from "./consistency.ts";
import { InspectionError, shown } from "./errors.ts";
import type { ProfileWeights, Quantization } from "./config/quantization.ts";
import type { Tensor } from "./tensor.ts";

/** What was found in a checkpoint. */
export interface CheckpointFacts {
  readonly format: "safetensors" | "GGUF";
  readonly architecture: Architecture;
  readonly parameters: number;
  readonly quantization?: Quantization | undefined;
  /** Bytes in the files, by part. */
  readonly storedBytes: PartBytes;
  /** Bytes in the files, by element type, the most first. */
  readonly bytesByType: readonly { readonly type: string; readonly bytes: number }[];
  readonly profile: ProfileOrReason;
  /** What the user should know. */
  readonly notes: readonly string[];
}

export type ProfileOrReason =
  | { readonly kind: "profile"; readonly profile: ModelProfile }
  /** The operator could not plan for it: why. */
  | { readonly kind: "none"; readonly reason: string };

/** What the formats have found, before it is put together. */
export interface Checkpoint {
  /** For messages. */
  readonly name: string;
  readonly format: CheckpointFacts["format"];
  readonly architecture: Architecture;
  readonly tensors: readonly Tensor[];
  readonly quantization?: Quantization | undefined;
  readonly notes: readonly string[];
  /** The profile's format for the element type that most weights of the layers have. */
  readonly weightsOf: (dominantType: string) => ProfileWeights | undefined;
}

/** Puts the facts together. @throws InspectionError where the files contradict each other. */
export function factsOf(checkpoint: Checkpoint): CheckpointFacts {
  const { name, format, architecture, tensors, quantization } = checkpoint;
  const placed = withoutTiedHead(name, placeTensors(name, tensors), architecture.tiedEmbeddings);
  checkConsistency(name, placed, architecture);
  const storedBytes = partBytes(placed, ({ tensor }) => tensor.bytes);
  const loaded = (tensor: PlacedTensor) => bytesOnceLoaded(tensor, format);
  const loadedBytes = partBytes(placed, loaded);
  const parameters = parameterCount(architecture);
  if (!Number.isSafeInteger(parameters)) {
    throw new InspectionError(
      "unsupported",
      `${name}: the configuration makes more parameters than any machine holds`,
    );
  }
  const widened = placed.some((placed) => placed.part !== "unused" && loaded(placed) < placed.tensor.bytes);
  return {
    format,
    architecture,
    parameters,
    quantization,
    storedBytes,
    bytesByType: bytesByType(tensors),
    profile: profileOf(checkpoint, placed, loadedBytes),
    notes: [
      ...checkpoint.notes,
      ...(widened ? ["32-bit weights are counted with 2 bytes each: engines load them in 16 bits"] : []),
    ],
  };
}

/** An output head that is stored although the embeddings serve as one is not loaded. */
function withoutTiedHead(
  file: string,
  placed: readonly PlacedTensor[],
  tied: boolean,
): readonly PlacedTensor[] {
  if (!tied && !placed.some(({ part }) => part === "head")) {
    throw new InspectionError(
      "malformed",
      `${file}: has no output head, and tie_word_embeddings is not set: is this one file of several? Name their folder`,
    );
  }
  if (!tied) return placed;
  return placed.map((tensor) => (tensor.part === "head" ? { ...tensor, part: "unused" } : tensor));
}

/** Engines load the 32-bit weights of safetensors in 16 bits; scales, and all of GGUF, stay as they are. */
function bytesOnceLoaded({ tensor, main, part }: PlacedTensor, format: CheckpointFacts["format"]): number {
  if (part === "unused") return 0;
  const isWide = tensor.type === "F32" || tensor.type === "F64";
  return format === "safetensors" && main && isWide ? tensor.elements * 2 : tensor.bytes;
}

function bytesByType(tensors: readonly Tensor[]): CheckpointFacts["bytesByType"] {
  const sums = new Map<string, number>();
  for (const { type, bytes } of tensors) sums.set(type, (sums.get(type) ?? 0) + bytes);
  return [...sums].map(([type, bytes]) => ({ type, bytes })).toSorted((a, b) => b.bytes - a.bytes);
}

/** The element type of most bytes among the layers' matrices. */
function dominantType(placed: readonly PlacedTensor[]): string {
  const linear = placed.filter(({ part, main }) => main && (part === "attention" || part === "feedForward"));
  return bytesByType(linear.map(({ tensor }) => tensor))[0]?.type ?? "";
}

function profileOf(
  { name, format, architecture, quantization, weightsOf }: Checkpoint,
  placed: readonly PlacedTensor[],
  loaded: PartBytes,
): ProfileOrReason {
  if (quantization?.problem !== undefined) return { kind: "none", reason: quantization.problem };
  const type = dominantType(placed);
  const weights = weightsOf(type);
  if (quantization === undefined && weights !== "bf16") {
    return {
      kind: "none",
      reason: `its configuration does not say how its weights (${type}) are quantised, and no engine reads them without that`,
    };
  }
  // GGUF declares no width of its own: its tensors are the declaration.
  const isDeclared = quantization?.weights !== undefined || quantization === undefined || format === "GGUF";
  if (weights === undefined || !isDeclared) {
    const elements = quantization === undefined ? type : `${quantization.elements}, stored as ${type}`;
    return {
      kind: "none",
      reason: `no profile can describe its weights (${elements}): bf16, fp8, int8 and int4 are known`,
    };
  }
  if (quantization?.weights !== undefined && quantization.weights !== weights) {
    throw new InspectionError(
      "malformed",
      `${name}: quantization_config declares ${quantization.elements} (${quantization.method}), and most weights are ${type}`,
    );
  }
  const tied = architecture.tiedEmbeddings;
  const parsed = modelProfile.safeParse({
    ...architecture,
    weights,
    ...(quantization === undefined ? {} : { quantMethod: quantization.method }),
    ...(quantization?.block === undefined ? {} : { quantBlock: quantization.block }),
    ...(quantization?.fp8KvCache === true ? { declaresFp8KvCache: true } : {}),
    weightBytes: {
      // A tied head has no part of its own: the final norm counts with the layers then.
      layers:
        loaded.attention +
        loaded.feedForward +
        loaded.layerNorms +
        loaded.layerScales +
        (tied ? loaded.finalNorm : 0),
      embeddings: loaded.embeddings,
      head: tied ? 0 : loaded.head + loaded.finalNorm,
    },
  });
  if (parsed.success) return { kind: "profile", profile: parsed.data };
  const [key = "it"] = parsed.error.issues[0]?.path ?? [];
  const value: unknown = Reflect.get(architecture, key);
  return {
    kind: "none",
    reason: `${String(key)}${value === undefined ? "" : ` of ${shown(value)}`} is beyond what the operator plans for`,
  };
}
