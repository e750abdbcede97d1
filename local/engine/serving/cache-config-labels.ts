// Labels of vllm:cache_config_info: every field of vLLM 0.32's CacheConfig as Python prints it. The capacity
// among them is how an operator reads back what the engine really has.
import type { ServeArguments } from "../command-line/argv.ts";
import type { KvCache } from "../memory/memory.ts";

export function cacheConfigLabels(args: ServeArguments, cache: KvCache): Readonly<Record<string, string>> {
  return {
    _block_size_resolved: "True",
    block_size: String(cache.blockSize),
    cache_dtype: args.kvCacheDtype,
    cache_hit_alignment_tokens: "None",
    effective_attention_block_size: String(cache.blockSize),
    enable_mamba_shared_prefix_checkpoint: "False",
    enable_prefix_caching: "True",
    gpu_memory_utilization: String(args.gpuMemoryUtilization),
    hash_block_size: "None",
    is_attention_free: "False",
    kv_cache_dtype_skip_layers: "[]",
    kv_cache_layout: "None",
    kv_cache_max_concurrency: pythonFloat(cache.maxConcurrency),
    kv_cache_memory_bytes: args.kvCacheMemoryBytes === undefined ? "None" : String(args.kvCacheMemoryBytes),
    kv_cache_size_tokens: String(cache.tokens),
    kv_offloading_backend: "native",
    kv_offloading_size: "None",
    kv_sharing_fast_prefill: "False",
    mamba_block_size: "None",
    mamba_cache_dtype: "auto",
    mamba_cache_mode: "none",
    mamba_page_size_padded: "None",
    mamba_ssm_cache_dtype: "float32",
    num_cpu_blocks: "None",
    num_gpu_blocks: String(cache.blocks),
    num_gpu_blocks_override: args.gpuBlocksOverride === undefined ? "None" : String(args.gpuBlocksOverride),
    prefix_cache_retention_interval: "0",
    prefix_caching_hash_algo: "sha256",
    prefix_match_unit: "None",
    replayssm_buffer_len: "16",
    skip_page_size_padded: "None",
    sliding_window: "None",
    swa_bounded_replay: "True",
    use_kda_recoverssm: "False",
    use_replayssm: "False",
    user_specified_block_size: args.blockSize === undefined ? "False" : "True",
  };
}

/** Python's str(float): whole numbers keep their ".0". */
function pythonFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
