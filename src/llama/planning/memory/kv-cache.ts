// Bytes and blocks of the KV cache: what one token costs on one GPU, and how many blocks a request of full length needs.
import { bytesPerWeight } from "../../catalog/weight-bytes.ts";
import type { Architecture } from "../../catalog/models.ts";
import type { KvCacheFormat } from "../../catalog/weight-bytes.ts";
import { keyValueHeadsPerRank } from "./weights.ts";

/**
 * Bytes that one token takes on each GPU of a stage: a key and a value for each layer and key-value head of the rank.
 * Llama 3.1 405B in BF16: 516,096 for the whole model, 64,512 with tensor 8.
 */
export function kvBytesPerToken(
  architecture: Architecture,
  layers: number,
  tensor: number,
  format: KvCacheFormat,
): number {
  const heads = keyValueHeadsPerRank(architecture, tensor);
  return 2 * layers * heads * architecture.headDimension * bytesPerWeight[format];
}

/** Blocks of one request of `maxModelLen` tokens. */
export function blocksPerRequest(maxModelLen: number, blockSize: number): number {
  return Math.ceil(maxModelLen / blockSize);
}

/** Blocks needed to hold so many requests of full length at once, and the null block that the engine keeps. */
export function blocksNeeded(maxModelLen: number, blockSize: number, requests: number): number {
  return blocksPerRequest(maxModelLen, blockSize) * requests + 1;
}
