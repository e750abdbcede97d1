// The tags of Ollama's library that hold the models of the catalog. A tag moves when Ollama publishes anew; the digest
// of its model layer does not, so a copy can be told from another.
// Sources: exact bytes and digests from registry manifests, pull logs and blob folders in public repositories, several
// each unless said; rounded sizes from ollama.com's listings as copied there.

export interface OllamaTag {
  /** What `ollama pull` takes: `llama3.1:8b`. */
  readonly tag: string;
  /** GGUF file type. */
  readonly quantisation: "Q4_K_M" | "Q8_0" | "F16";
  /** Bytes of the model layer. */
  readonly bytes: number;
  /** Whether `bytes` is to the byte; otherwise as listed, rounded. */
  readonly exact: boolean;
  /** `sha256:…` of the model layer, where one was found whole. */
  readonly digest?: string;
}

const exact = (
  tag: string,
  quantisation: OllamaTag["quantisation"],
  bytes: number,
  sha256?: string,
): OllamaTag => ({
  tag,
  quantisation,
  bytes,
  exact: true,
  ...(sha256 === undefined ? {} : { digest: `sha256:${sha256}` }),
});

const listed = (tag: string, quantisation: OllamaTag["quantisation"], bytes: number): OllamaTag => ({
  tag,
  quantisation,
  bytes,
  exact: false,
});

const q4Of8b = "667b0c1932bc6ffc593ed1d03f895bf2dc8dc6df21db3042284a6f4416b06a29";

/** The tags of each model, Ollama's default first. */
const tagsByModel: ReadonlyMap<string, readonly OllamaTag[]> = new Map([
  [
    "llama-3.1-8b-instruct",
    [
      exact("llama3.1:8b", "Q4_K_M", 4_920_738_944, q4Of8b),
      listed("llama3.1:8b-instruct-q4_K_M", "Q4_K_M", 4.9e9),
      listed("llama3.1:8b-instruct-q8_0", "Q8_0", 8.5e9),
      // One source: a benchmark's table, which took it from the blob.
      exact("llama3.1:8b-instruct-fp16", "F16", 16_068_895_872),
    ],
  ],
  [
    "llama-3.1-70b-instruct",
    [listed("llama3.1:70b", "Q4_K_M", 42.52e9), listed("llama3.1:70b-instruct-q4_K_M", "Q4_K_M", 42.52e9)],
  ],
  // 243 GB since August 2024, when it was made again from the weights with 8 key-value heads: ollama/ollama#6303.
  ["llama-3.1-405b-instruct", [listed("llama3.1:405b", "Q4_K_M", 243e9)]],
  [
    "llama-3.2-1b-instruct",
    [
      exact(
        "llama3.2:1b",
        "Q8_0",
        1_321_082_688,
        "74701a8c35f6c8d9a4b91f3f3497643001d63e0c7a84e085bed452548fa88d45",
      ),
    ],
  ],
  [
    "llama-3.2-3b-instruct",
    [
      exact(
        "llama3.2:3b",
        "Q4_K_M",
        2_019_377_376,
        "dde5aa3fc5ffc17176b5e8bdc82f587b24b2678c6c66101bf7da77af9f7ccdff",
      ),
    ],
  ],
  [
    "llama-3.3-70b-instruct",
    [
      {
        // The whole tag has 42,520,413,916 B, with templates and licences.
        ...listed("llama3.3:70b", "Q4_K_M", 42.52e9),
        digest: "sha256:4824460d29f2058aaf6e1118a63a7a197a09bed509f0e7d4e2efb1ee273b447d",
      },
    ],
  ],
  // The quantisation of these two follows from their sizes; it was found in no source.
  ["llama-guard-3-8b", [listed("llama-guard3:8b", "Q4_K_M", 4.9e9)]],
  ["llama-guard-3-1b", [listed("llama-guard3:1b", "Q8_0", 1.6e9)]],
]);

/** The tags of a model of the catalog; none where Ollama's library lacks it. */
export function ollamaTagsOf(modelName: string): readonly OllamaTag[] {
  return tagsByModel.get(modelName) ?? [];
}
