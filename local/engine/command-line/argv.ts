// The flags of `vllm serve` that the simulated engine acts on, typed. The others are parsed, checked and
// then ignored, as they change nothing that a cluster can see.
import { parseArguments } from "./argparse.ts";

export interface ServeArguments {
  /** Repository, or a path inside the container. */
  readonly model: string;
  readonly servedModelNames: readonly string[];
  readonly host: string | undefined;
  readonly port: number;
  readonly revision: string | undefined;
  readonly hfToken: string | undefined;
  readonly apiKeys: readonly string[];

  readonly tensorParallelSize: number;
  readonly pipelineParallelSize: number;
  readonly dataParallelSize: number;
  readonly distributedExecutorBackend: string | undefined;
  readonly nodeCount: number;
  readonly nodeRank: number;
  readonly masterAddress: string;
  readonly masterPort: number;
  readonly headless: boolean;

  /** "auto" asks the engine for the longest that fits. */
  readonly maxModelLen: number | "auto" | undefined;
  readonly maxNumSeqs: number | undefined;
  readonly maxNumBatchedTokens: number | undefined;
  readonly maxNumQueuedRequests: number | undefined;
  readonly gpuMemoryUtilization: number;
  readonly kvCacheMemoryBytes: number | undefined;
  readonly kvCacheDtype: string;
  readonly blockSize: number | undefined;
  readonly gpuBlocksOverride: number | undefined;
  readonly quantization: string | undefined;
  readonly allowDeprecatedQuantization: boolean;
  readonly dtype: string;
  readonly loadFormat: string;
  readonly enforceEager: boolean;

  readonly shutdownTimeoutSeconds: number;
  readonly enableRequestIdHeaders: boolean;
  readonly enableAutoToolChoice: boolean;
  readonly toolCallParser: string | undefined;
}

/**
 * Reads the words after `vllm serve`.
 * @throws ArgparseExit as argparse would end the process.
 */
export function parseServeArguments(argv: readonly string[]): ServeArguments {
  const { modelTag, values } = parseArguments(argv);
  const model = modelTag ?? "";
  const text = (flag: string): string | undefined => {
    const value = values.get(flag);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const number = (flag: string): number | undefined => {
    const value = values.get(flag);
    return typeof value === "number" ? value : undefined;
  };
  const texts = (flag: string): readonly string[] => {
    const value = values.get(flag);
    return Array.isArray(value) ? value.map(String) : [];
  };
  const on = (flag: string): boolean => values.get(flag) === true;

  const maxModelLen = number("--max-model-len");
  const servedModelNames = texts("--served-model-name");
  return {
    model,
    servedModelNames: servedModelNames.length > 0 ? servedModelNames : [model],
    host: text("--host"),
    port: number("--port") ?? 8000,
    revision: text("--revision"),
    hfToken: text("--hf-token"),
    apiKeys: texts("--api-key"),
    tensorParallelSize: number("--tensor-parallel-size") ?? 1,
    pipelineParallelSize: number("--pipeline-parallel-size") ?? 1,
    dataParallelSize: number("--data-parallel-size") ?? 1,
    distributedExecutorBackend: text("--distributed-executor-backend"),
    nodeCount: number("--nnodes") ?? 1,
    nodeRank: number("--node-rank") ?? 0,
    masterAddress: text("--master-addr") ?? "127.0.0.1",
    masterPort: number("--master-port") ?? 29501,
    headless: on("--headless"),
    maxModelLen: maxModelLen === -1 ? "auto" : maxModelLen,
    maxNumSeqs: number("--max-num-seqs"),
    maxNumBatchedTokens: number("--max-num-batched-tokens"),
    maxNumQueuedRequests: number("--max-num-queued-reqs"),
    gpuMemoryUtilization: number("--gpu-memory-utilization") ?? 0.92,
    kvCacheMemoryBytes: number("--kv-cache-memory-bytes"),
    kvCacheDtype: text("--kv-cache-dtype") ?? "auto",
    blockSize: number("--block-size"),
    gpuBlocksOverride: number("--num-gpu-blocks-override"),
    quantization: text("--quantization"),
    allowDeprecatedQuantization: on("--allow-deprecated-quantization"),
    dtype: text("--dtype") ?? "auto",
    loadFormat: text("--load-format") ?? "auto",
    enforceEager: on("--enforce-eager"),
    shutdownTimeoutSeconds: number("--shutdown-timeout") ?? 0,
    enableRequestIdHeaders: on("--enable-request-id-headers"),
    enableAutoToolChoice: on("--enable-auto-tool-choice"),
    toolCallParser: text("--tool-call-parser"),
  };
}
