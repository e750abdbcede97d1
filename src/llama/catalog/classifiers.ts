// Meta's models that classify text and do not write any. A chat engine cannot serve them, so they are no models of
// the planner: they are here so that it can say what they are.
// Sources: meta-llama/PurpleLlama, Prompt-Guard and Llama-Prompt-Guard-2 MODEL_CARD.md; the revisions in a review of
// PurpleLlama's repositories and in pinned downloads, each in several repositories.
import type { Licence } from "./models.ts";

export interface Classifier {
  readonly kind: "classifier";
  /** The name that a user may try in `spec.model.name`. */
  readonly name: string;
  readonly label: string;
  readonly repository: string;
  readonly revision: string;
  readonly gated: boolean;
  readonly licence: Licence;
  /** `architectures` of its config.json. */
  readonly architecture: "DebertaV2ForSequenceClassification";
  /** Longest text in tokens; longer ones are to be cut in pieces. */
  readonly windowTokens: number;
  readonly labels: readonly string[];
}

const promptGuard = {
  kind: "classifier",
  gated: true,
  architecture: "DebertaV2ForSequenceClassification",
  windowTokens: 512,
} as const;

const classifiers: readonly Classifier[] = [
  {
    ...promptGuard,
    name: "prompt-guard-86m",
    label: "Prompt Guard 86M",
    repository: "meta-llama/Prompt-Guard-86M",
    revision: "1209add6ca7d9c1d815171b8e5571587fe3e7b03",
    licence: "Llama 3.1 Community License",
    labels: ["benign", "injection", "jailbreak"],
  },
  {
    ...promptGuard,
    name: "llama-prompt-guard-2-86m",
    label: "Llama Prompt Guard 2 86M",
    repository: "meta-llama/Llama-Prompt-Guard-2-86M",
    revision: "a8ded8e697ce7c355e395a0df51f94adb4a2fd27",
    licence: "Llama 4 Community License",
    labels: ["benign", "malicious"],
  },
  {
    ...promptGuard,
    name: "llama-prompt-guard-2-22m",
    label: "Llama Prompt Guard 2 22M",
    repository: "meta-llama/Llama-Prompt-Guard-2-22M",
    revision: "11614a155199674a0a95e6602d6ab0417b790ed0",
    licence: "Llama 4 Community License",
    labels: ["benign", "malicious"],
  },
];

/** The classifier of that name or Hugging Face repository, in any case; `undefined` where it is none. */
export function findClassifier(name: string): Classifier | undefined {
  const wanted = name.toLowerCase();
  return classifiers.find(
    (classifier) => classifier.name === wanted || classifier.repository.toLowerCase() === wanted,
  );
}

/** Why a classifier is not served, and what to do instead; for refusals. */
export function classifierRefusal(classifier: Classifier): string {
  return `${classifier.label} classifies text of up to ${classifier.windowTokens} tokens and writes none, so no chat engine serves it: run it beside the application with transformers or ONNX, or use llama-guard-3-8b or llama-guard-3-1b, which are served as models`;
}
