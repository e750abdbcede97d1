// How long a replica takes from a started container to an answering engine. Probes allow a multiple of it.
import type { Weights } from "../plan.ts";

/** A node's download from the Hugging Face hub; an assumption on the slow side of what clouds see. */
const hubBytesPerSecond = 0.5e9;
/** Reading from a network volume; facts of public deployments range from below 1 to 3 GB/s. */
const volumeBytesPerSecond = 1e9;
/** Local disk to GPUs: a public log reads 487 GB of 405B in 235 s. */
const localBytesPerSecond = 2e9;
/** Interpreter, imports, CUDA and NCCL. */
const processSeconds = 30;
/** torch.compile: 26 s for the 80 layers of a 70B in a public log. */
const compileSecondsPerLayer = 0.33;
/** Capture of all batch sizes: 7 to 21 s in public logs. */
const graphSeconds = 20;

/** Seconds until a replica answers, with nothing cached. */
export function startupSeconds(input: {
  readonly source: Weights["source"]["kind"];
  readonly totalBytes: number;
  readonly bytesPerNode: number;
  /** Layers of the longest stage; each stage compiles its own. */
  readonly layersPerStage: number;
  readonly eager: boolean;
}): number {
  const fetchSeconds =
    input.source === "huggingFace"
      ? input.totalBytes / hubBytesPerSecond + input.bytesPerNode / localBytesPerSecond
      : input.bytesPerNode / volumeBytesPerSecond;
  const warmUpSeconds = input.eager ? 0 : input.layersPerStage * compileSecondsPerLayer + graphSeconds;
  return Math.ceil(processSeconds + fetchSeconds + warmUpSeconds);
}
