// How busy an engine says it is: what autoscaling decides by and what chooses between replicas.

/** The load of one replica at one moment. */
export interface EngineLoad {
  /** Requests in the running batch. */
  readonly running: number;
  /** Requests that wait for a place in it. */
  readonly waiting: number;
  /** Share of the KV cache in use, 0 to 1. */
  readonly kvCacheUsage: number;
  /** Tokens since the engine started, from which rates are made; they fall to zero when it starts again. */
  readonly promptTokens: number;
  readonly generationTokens: number;
}
