// Everything around an engine's process: its pod, its node, the faults injected into it, and how fast time goes.
import type { Clock } from "./clock.ts";
import type { EngineFaults } from "./faults.ts";
import type { Gpu } from "./memory/gpu.ts";
import type { Rendezvous } from "./rendezvous.ts";

export interface EngineHostOptions {
  /** The pod's address: what it listens on when --host leaves it open. */
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
  readonly gpu: Gpu | undefined;
  readonly gpuCount: number;
  readonly modelHint: string | undefined;
  readonly faults: EngineFaults;
  readonly loadBytesPerSecond: number;
  /** Loading and start-up are this many times faster than in life. */
  readonly speedup: number;
  /** The same for prefill and decode, apart, so that a demo can load in seconds and stream at a real pace. */
  readonly generationSpeedup: number;
  /** --shutdown-timeout passes this many times faster, as the kubelet's grace period does. */
  readonly graceSpeedup: number;
  readonly clock: Clock;
  readonly unixSeconds: () => number;
  readonly newId: () => string;
  /** DNS as this pod sees it; undefined while the name does not resolve. */
  readonly resolve: (name: string) => string | undefined;
  readonly rendezvous: Rendezvous;
  /** One line of stdout or stderr. */
  readonly log: (line: string) => void;
}
