// What can be made to go wrong with an engine, so that what depends on it can be tried.

/** Faults injected into one start. */
export interface EngineFaults {
  /** Real seconds after readiness. */
  readonly crashAfterSeconds?: number | undefined;
  /** The process ends with this code before it does anything. */
  readonly exitCode?: number | undefined;
  /** Killed for memory while it loads. */
  readonly outOfMemory?: boolean | undefined;
  /** Comes up, then answers nothing any more. */
  readonly hang?: boolean | undefined;
  /** Loads this many times slower. */
  readonly loadFactor?: number | undefined;
}
