// The message of a refusal: which number broke, on which pool, and by how much. It is told of the rejected candidate that
// came nearest.
import { contextLength, counted, formatName, gib } from "./format.ts";
import { ephemeralStorageNeeded, ephemeralStorageOffered } from "../node/pod.ts";
import type { RejectedCandidate, Problem } from "../choice/search.ts";

function subject(problem: Problem, { layout, weights, hardware }: RejectedCandidate): string {
  const degrees =
    layout.pipeline === 1
      ? `tensor ${layout.tensor}`
      : `tensor ${layout.tensor} and pipeline ${layout.pipeline} over ${counted(layout.nodes, "node")}`;
  return `${problem.model.label} in ${formatName(weights.format)} with ${degrees} on pool ${hardware.pool.name}`;
}

function memoryMessage(problem: Problem, rejected: RejectedCandidate): string {
  const { account, hardware, limits, kvCache } = rejected;
  const { label } = hardware.gpu;
  const who = subject(problem, rejected);
  if (account.weightsBytes > account.visibleBytes) {
    return `${who} needs ${gib(account.weightsBytes)} of weights per GPU, and each ${label} has ${gib(account.visibleBytes)} visible`;
  }
  const overhead = `${gib(account.overheadBytes + account.marginBytes)} for activations, graphs, communication and margin`;
  const budget = `the engine's budget is ${gib(account.budgetBytes)} (${limits.gpuMemoryUtilization} of ${gib(account.visibleBytes)})`;
  if (account.availableBytes < 0) {
    return `${who} needs ${gib(account.weightsBytes)} of weights and ${overhead} per GPU, and ${budget}`;
  }
  if (account.neededBytes > account.availableBytes) {
    const requests = counted(problem.spec.context.minConcurrency, "request");
    return `${who} leaves ${gib(account.availableBytes)} per GPU for the KV cache, after ${gib(account.weightsBytes)} of weights and ${overhead}, and ${requests} of ${contextLength(limits.maxModelLen)} tokens ${problem.spec.context.minConcurrency === 1 ? "needs" : "need"} ${gib(account.neededBytes)} in ${formatName(kvCache)}`;
  }
  return `${who} leaves ${gib(account.outsideBytes)} per GPU outside the engine's budget with gpu-memory-utilization ${limits.gpuMemoryUtilization}, and CUDA and NCCL may take ${gib(account.outsideNeededBytes)}`;
}

/** What stopped the nearest candidate. */
export function refusalMessage(problem: Problem, rejected: RejectedCandidate): string {
  const { hardware, weights, layout, account } = rejected;
  const who = subject(problem, rejected);
  switch (rejected.obstacle) {
    case "memory":
      return memoryMessage(problem, rejected);
    case "bf16WhileLoading":
      return `${who} would be quantised while it loads, and until then its BF16 weights take ${gib(account.weightsBytes)} per GPU of an engine's budget of ${gib(account.budgetBytes)}: name an FP8 checkpoint`;
    case "storage": {
      const offered = ephemeralStorageOffered(hardware) ?? 0;
      return `${who} needs ${gib(ephemeralStorageNeeded(weights))} of node-local disk for the checkpoint and caches, and the machine (${hardware.machine}) offers pods ${gib(Math.max(0, offered))}: join its local disks and say so in the pool's spec.allocatable.ephemeralStorage, or serve from a persistentVolumeClaim`;
    }
    case "nodes":
      return `${who} needs ${counted(layout.nodes, "whole node")}, and the pool may have ${hardware.pool.spec.nodes?.max ?? 0}`;
    case "kernels":
      return `${who} is a ${weights.quantMethod ?? "checkpoint"} checkpoint, whose kernels the ${hardware.gpu.label} lacks`;
    case "fp8KvCache":
      return `${who} cannot keep its KV cache in FP8: vLLM ${problem.settings.versionText} has no sound kernels for it on ${hardware.gpu.architecture} GPUs`;
    default:
      return rejected.obstacle satisfies never;
  }
}
