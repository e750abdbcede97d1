// What the command line answers to scripts. Stable: a number never changes its meaning.

export const exitCodes = {
  /** Done. */
  ok: 0,
  /** It failed; stderr says what, where and what to do. */
  error: 1,
  /** The command line or the files given are wrong: nothing was tried. */
  usage: 2,
  /** `plan`: at least one LlamaDeployment cannot run as written. The rest was planned. */
  refused: 3,
  /** The API server cannot be reached or does not let us in. */
  cluster: 4,
  /** Stopped by Ctrl-C (128 + SIGINT). */
  interrupted: 130,
  /** Asked to stop (128 + SIGTERM). */
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
