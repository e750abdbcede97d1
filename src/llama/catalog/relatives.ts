// Llamas that came before, and models that took their architecture: known by their numbers alone, so that a spec that
// names one and says where its weights are needs no profile. Source: the repositories' config.json.
import { models } from "./models.ts";
import type { Architecture } from "./models.ts";

const llama2 = { vocabularySize: 32_000, maxPositions: 4096, tiedEmbeddings: false, headDimension: 128 };

const byName: Readonly<Record<string, Architecture>> = {
  "llama-2-7b": {
    ...llama2,
    hiddenSize: 4096,
    layers: 32,
    attentionHeads: 32,
    keyValueHeads: 32,
    feedForwardSize: 11_008,
  },
  "llama-2-13b": {
    ...llama2,
    hiddenSize: 5120,
    layers: 40,
    attentionHeads: 40,
    keyValueHeads: 40,
    feedForwardSize: 13_824,
  },
  "llama-2-70b": {
    ...llama2,
    hiddenSize: 8192,
    layers: 80,
    attentionHeads: 64,
    keyValueHeads: 8,
    feedForwardSize: 28_672,
  },
  "codellama-34b": {
    ...llama2,
    maxPositions: 16_384,
    hiddenSize: 8192,
    layers: 48,
    attentionHeads: 64,
    keyValueHeads: 8,
    feedForwardSize: 22_016,
  },
  "mistral-7b": {
    vocabularySize: 32_768,
    maxPositions: 32_768,
    tiedEmbeddings: false,
    headDimension: 128,
    hiddenSize: 4096,
    layers: 32,
    attentionHeads: 32,
    keyValueHeads: 8,
    feedForwardSize: 14_336,
  },
  "tinyllama-1.1b": {
    ...llama2,
    maxPositions: 2048,
    headDimension: 64,
    hiddenSize: 2048,
    layers: 22,
    attentionHeads: 32,
    keyValueHeads: 4,
    feedForwardSize: 5632,
  },
};

/** Names of other models by the catalog's model whose architecture they have. */
const sameAs: Readonly<Record<string, { readonly name: string; readonly maxPositions?: number }>> = {
  "llama-3-8b": { name: "llama-3.1-8b", maxPositions: 8192 },
  "llama-3-70b": { name: "llama-3.1-70b", maxPositions: 8192 },
  "deepseek-r1-distill-llama-8b": { name: "llama-3.1-8b" },
  "deepseek-r1-distill-llama-70b": { name: "llama-3.1-70b" },
  "nemotron-70b": { name: "llama-3.1-70b" },
};

/**
 * The architecture of a model by name, with or without `-instruct`, `-chat` or `-hf` at its end: one of the catalog's,
 * or a relative of theirs; `undefined` where neither is known.
 */
export function findArchitecture(name: string): Architecture | undefined {
  const plain = name
    .toLowerCase()
    .replace(/^meta-/, "")
    .replace(/-(instruct|chat|hf|it)$/, "");
  const direct = models.find((model) => model.name === plain || model.name === `${plain}-instruct`);
  if (direct !== undefined) return direct.architecture;
  const alias = sameAs[plain];
  if (alias === undefined) return byName[plain];
  const architecture = models.find((model) => model.name === alias.name)?.architecture;
  return architecture && { ...architecture, maxPositions: alias.maxPositions ?? architecture.maxPositions };
}
