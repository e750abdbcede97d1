// `spec.engine`: which engine runs the model, and what the user may add to its command line and environment.
import { z } from "zod";
import { boundedMap, mapList, secretKeyReference, withRules } from "./schema.ts";

/** Flags that follow from the plan or from other fields; `engine.args` may not set them. Names without dashes. */
export const plannedEngineFlags = [
  "block-size",
  "config",
  "data-parallel-size",
  "data-parallel-size-local",
  "decode-context-parallel-size",
  "device-ids",
  "distributed-executor-backend",
  "download-dir",
  "grpc",
  "headless",
  "host",
  "kv-cache-dtype",
  "kv-cache-memory-bytes",
  "load-format",
  "master-addr",
  "master-port",
  "max-model-len",
  "model",
  "nnodes",
  "node-rank",
  "pipeline-parallel-size",
  "port",
  "prefill-context-parallel-size",
  "quantization",
  "revision",
  "served-model-name",
  "shutdown-timeout",
  "ssl-certfile",
  "ssl-keyfile",
  "tensor-parallel-size",
  "tokenizer-revision",
  "uds",
] as const;

/** Flags whose value is a secret, which everyone who may read pods would see. */
const secretEngineFlags = ["api-key", "hf-token"];

function refusedFlags(flags: readonly string[], message: string) {
  return {
    cel: `self.all(flag, !(flag in [${flags.map((flag) => `'${flag}'`).join(", ")}]))`,
    holds: (self: Record<string, string>) => Object.keys(self).every((flag) => !flags.includes(flag)),
    message,
  };
}

const engineArguments = boundedMap(
  z.string().max(4096),
  {
    pattern: /^[a-z0-9]+(-[a-z0-9]+)*$/,
    message: "flags are written in full and without leading dashes: `max-num-seqs`",
  },
  32,
  [
    refusedFlags(
      plannedEngineFlags,
      `these flags follow from the plan; use model, quantization, context and parallelism instead of: ${plannedEngineFlags.join(", ")}`,
    ),
    refusedFlags(
      secretEngineFlags,
      "secrets do not belong on a command line: use env with a secretKeyRef (VLLM_API_KEY), or tokenSecretRef of the source",
    ),
  ],
);

const environmentVariable = withRules(
  z.strictObject({
    name: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .describe("Name of the variable."),
    value: z.string().max(4096).exactOptional().describe("Its value, in plain text."),
    secretKeyRef: secretKeyReference.exactOptional().describe("Take the value from a Secret."),
  }),
  [
    {
      cel: "has(self.value) != has(self.secretKeyRef)",
      holds: (self) => (self.value === undefined) !== (self.secretKeyRef === undefined),
      message: "set exactly one of value and secretKeyRef",
    },
  ],
);

/** The engines that there are; each has its file in `src/llama/engines`. */
export const engineType = z.enum(["vllm"]);

/**
 * `spec.engine`. It is part of a revision's identity, but for fields at their default that are added later. What shapes no
 * pod goes elsewhere in the spec.
 */
export const engine = z.strictObject({
  type: engineType.default("vllm").describe("Inference engine."),
  version: z
    .string()
    .max(32)
    .regex(/^[0-9]+\.[0-9]+\.[0-9]+$/)
    .default("0.32.0")
    .describe("Version of the engine."),
  image: z
    .string()
    .min(1)
    .max(512)
    .regex(/^\S+$/)
    .exactOptional()
    .describe("Image to run instead of the engine's published one; it must hold the stated version."),
  args: engineArguments
    .default({})
    .describe(
      'Further flags, by name without dashes: `max-num-seqs: "128"`. A flag without a value is written `""`.',
    ),
  env: mapList(environmentVariable, "name", 32)
    .default([])
    .describe("Further environment variables of the engine's container."),
});
