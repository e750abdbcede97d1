// What an inspection looks at, and what it turned out to be.
import type { OllamaName } from "./places/ollama.ts";

/** What is looked at. */
export type Target =
  | {
      readonly kind: "hub";
      readonly endpoint: URL;
      readonly repository: string;
      readonly revision: string;
      readonly file?: string;
    }
  | { readonly kind: "ollama"; readonly registry: URL; readonly name: OllamaName }
  | { readonly kind: "local"; readonly path: string };

/** Where it was found, pinned where it could move. */
export type Origin =
  | {
      readonly kind: "huggingFace";
      readonly repository: string;
      readonly revision: string;
      readonly gated: boolean;
    }
  | {
      readonly kind: "ollama";
      readonly name: string;
      readonly digest: string;
      readonly weightsDigest: string;
    }
  | { readonly kind: "local"; readonly path: string };
