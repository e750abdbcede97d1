// How long a replica takes from a started container to an answering engine, phase by phase. Probes allow a multiple.
import type { StartupSeconds, Weights } from "../plan.ts";

/** A node's download from the Hugging Face hub; an assumption on the slow side of what clouds see. */
const hubBytesPerSecond = 0.5e9;
/** Reading from a network volume; facts of public deployments range from below 1 to 3 GB/s. */
const volumeBytesPerSecond = 1e9;
/** Local disk to GPUs: a public log reads 487 GB of 405B in 235 s (vllm-project/vllm#6746). */
const localBytesPerSecond = 2e9;
/** Interpreter, imports, CUDA and NCCL. */
const processSeconds = 30;
/** torch.compile: 26 s for the 80 layers of a 70B in a public log. */
const compileSecondsPerLayer = 0.33;
/** Capture of all batch sizes: 7 to 21 s in public logs. */
const graphSeconds = 20;

/** What the phases of a start follow from. */
export interface StartupInput {
  readonly source: Weights["source"]["kind"];
  readonly totalBytes: number;
  readonly bytesPerNode: number;
  /** Layers of the longest stage; each stage compiles its own. */
  readonly layersPerStage: number;
  readonly eager: boolean;
}

/** Seconds of each phase until a replica answers, with nothing cached. */
export function startupSeconds(input: StartupInput): StartupSeconds {
  const { source, totalBytes, bytesPerNode, layersPerStage, eager } = input;
  const downloads = source === "huggingFace";
  return {
    process: processSeconds,
    download: downloads ? Math.ceil(totalBytes / hubBytesPerSecond) : 0,
    load: Math.ceil(bytesPerNode / (downloads ? localBytesPerSecond : volumeBytesPerSecond)),
    compile: eager ? 0 : Math.ceil(layersPerStage * compileSecondsPerLayer),
    graphs: eager ? 0 : graphSeconds,
  };
}

/** The phases of a start for people, with what each rests on. */
export function startupPhases({ totalBytes, bytesPerNode, source }: StartupInput, seconds: StartupSeconds) {
  const rate = source === "huggingFace" ? localBytesPerSecond : volumeBytesPerSecond;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  const perSecond = (bytes: number): string => `${bytes / 1e9} GB/s`;
  return [
    ["interpreter, CUDA, NCCL", seconds.process, "assumed"],
    ["download", seconds.download, `${gigabytes(totalBytes)} at ${perSecond(hubBytesPerSecond)}, assumed`],
    ["load to GPUs", seconds.load, `${gigabytes(bytesPerNode)} a node at ${perSecond(rate)}`],
    ["torch.compile", seconds.compile, `${compileSecondsPerLayer} s a layer of a stage`],
    ["CUDA graphs", seconds.graphs, "7 to 21 s in logs"],
  ] as const;
}
