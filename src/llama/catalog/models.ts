// The Llama models that the planner knows by name, and the numbers of each one's config.json that decide memory.
// Source: the repositories' config.json, as copied in ai-dynamo/aiconfigurator, model_configs/ at 095f58a.
import { nearestNames } from "./edit-distance.ts";

/** Numbers of `config.json` that decide sizes; the fields of `spec.model.profile`. */
export interface Architecture {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly attentionHeads: number;
  readonly keyValueHeads: number;
  readonly headDimension: number;
  readonly feedForwardSize: number;
  readonly vocabularySize: number;
  /** Longest context in tokens. */
  readonly maxPositions: number;
  /** Embeddings and output head are one matrix. */
  readonly tiedEmbeddings: boolean;
}

/** The licences under which Meta publishes its models: their titles. */
export type Licence =
  | "Llama 3.1 Community License"
  | "Llama 3.2 Community License"
  | "Llama 3.3 Community License"
  | "Llama 4 Community License";

export interface Model {
  /** Name in `spec.model.name`. */
  readonly name: string;
  /** For people: `Llama 3.1 405B Instruct`. */
  readonly label: string;
  /** Size alone, for a line of a table: `405B`. */
  readonly size: string;
  readonly architecture: Architecture;
  /** Binds those who serve the model: quantised checkpoints of others fall under it too. */
  readonly licence: Licence;
}

const llama3 = { vocabularySize: 128_256, maxPositions: 131_072, tiedEmbeddings: false } as const;

const llama1b: Architecture = {
  ...llama3,
  hiddenSize: 2048,
  layers: 16,
  attentionHeads: 32,
  keyValueHeads: 8,
  headDimension: 64,
  feedForwardSize: 8192,
  tiedEmbeddings: true,
};

const llama3b: Architecture = {
  ...llama3,
  hiddenSize: 3072,
  layers: 28,
  attentionHeads: 24,
  keyValueHeads: 8,
  headDimension: 128,
  feedForwardSize: 8192,
  tiedEmbeddings: true,
};

const llama8b: Architecture = {
  ...llama3,
  hiddenSize: 4096,
  layers: 32,
  attentionHeads: 32,
  keyValueHeads: 8,
  headDimension: 128,
  feedForwardSize: 14_336,
};

const llama70b: Architecture = {
  ...llama3,
  hiddenSize: 8192,
  layers: 80,
  attentionHeads: 64,
  keyValueHeads: 8,
  headDimension: 128,
  feedForwardSize: 28_672,
};

/** The first upload of July 2024 had 16 key-value heads; every revision pinned in checkpoints/ has 8. */
const llama405b: Architecture = {
  ...llama3,
  hiddenSize: 16_384,
  layers: 126,
  attentionHeads: 128,
  keyValueHeads: 8,
  headDimension: 128,
  feedForwardSize: 53_248,
};

const of31 = { licence: "Llama 3.1 Community License" } as const;
const of32 = { licence: "Llama 3.2 Community License" } as const;
const of33 = { licence: "Llama 3.3 Community License" } as const;

/** Every model of the catalog. Licences: meta-llama/llama-models, models/llama3_{1,2,3}/LICENSE. */
export const models: readonly Model[] = [
  { name: "llama-3.1-8b", label: "Llama 3.1 8B", size: "8B", architecture: llama8b, ...of31 },
  {
    name: "llama-3.1-8b-instruct",
    label: "Llama 3.1 8B Instruct",
    size: "8B",
    architecture: llama8b,
    ...of31,
  },
  { name: "llama-3.1-70b", label: "Llama 3.1 70B", size: "70B", architecture: llama70b, ...of31 },
  {
    name: "llama-3.1-70b-instruct",
    label: "Llama 3.1 70B Instruct",
    size: "70B",
    architecture: llama70b,
    ...of31,
  },
  { name: "llama-3.1-405b", label: "Llama 3.1 405B", size: "405B", architecture: llama405b, ...of31 },
  {
    name: "llama-3.1-405b-instruct",
    label: "Llama 3.1 405B Instruct",
    size: "405B",
    architecture: llama405b,
    ...of31,
  },
  { name: "llama-3.2-1b", label: "Llama 3.2 1B", size: "1B", architecture: llama1b, ...of32 },
  {
    name: "llama-3.2-1b-instruct",
    label: "Llama 3.2 1B Instruct",
    size: "1B",
    architecture: llama1b,
    ...of32,
  },
  { name: "llama-3.2-3b", label: "Llama 3.2 3B", size: "3B", architecture: llama3b, ...of32 },
  {
    name: "llama-3.2-3b-instruct",
    label: "Llama 3.2 3B Instruct",
    size: "3B",
    architecture: llama3b,
    ...of32,
  },
  {
    name: "llama-3.3-70b-instruct",
    label: "Llama 3.3 70B Instruct",
    size: "70B",
    architecture: llama70b,
    ...of33,
  },
  { name: "llama-guard-3-8b", label: "Llama Guard 3 8B", size: "8B", architecture: llama8b, ...of31 },
  { name: "llama-guard-3-1b", label: "Llama Guard 3 1B", size: "1B", architecture: llama1b, ...of32 },
];

const modelsByName: ReadonlyMap<string, Model> = new Map(models.map((model) => [model.name, model]));

/** The model of that name, or `undefined` where the catalog lacks it. */
export function findModel(name: string): Model | undefined {
  return modelsByName.get(name);
}

/** The three names nearest to one that the catalog lacks. */
export function nearestModels(name: string): readonly string[] {
  return nearestNames(
    name,
    models.map((model) => model.name),
  );
}
