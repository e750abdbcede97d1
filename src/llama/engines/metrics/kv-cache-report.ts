// What a running engine says of its KV cache: the truth that a plan is compared with.

/** The KV cache of one replica as its engine reports it; what an engine does not say is absent. */
export interface KvCacheReport {
  /** Tokens that it holds. */
  readonly tokens: number;
  /** Blocks, and tokens of each. The engine keeps one of them for itself. */
  readonly blocks?: number;
  readonly blockSize?: number;
  /** Requests of the longest length that fit at once. */
  readonly maxConcurrency?: number;
  /** The size was set by a flag and not found by profiling: it says nothing of what the engine takes besides. */
  readonly wasSet?: true;
  /** Share of visible memory that it was allowed. */
  readonly gpuMemoryUtilization?: number;
}
