// Checkpoints of Llama 3.2, 3.3 and Llama Guard 3. Revisions as in llama-3.1.ts; NVIDIA's and Red Hat's 3.3 70B FP8
// are in one list of Dynamo's test cache, Red Hat's w8a8 of 3.3 70B in one start script.
import { fp8DynamicLayout, fp8StaticLayout, int4ActivationOrderLayout, int8Layout } from "../weight-bytes.ts";
import { bf16, int4, nvidiaFp8, redHatFp8, redHatInt8 } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";

/**
 * Red Hat's FP8 of 3.2 store the output head although the model ties it: their 1B has 1.88 GiB, 0.49 GiB more than
 * with one matrix (PCfVW/anamnesis, ROADMAP.md). Taken to be so of all of them.
 */
const withHead = { headStored: true } as const;

export const llama32AndLater: Readonly<Record<string, readonly Checkpoint[]>> = {
  "llama-3.2-1b": [bf16("meta-llama/Llama-3.2-1B", "4e20de362430cd3b72f300e6b0f18e50e7166e08")],
  "llama-3.2-1b-instruct": [
    bf16("meta-llama/Llama-3.2-1B-Instruct", "9213176726f574b556790deb65791e0c5aa438b6"),
    redHatFp8({
      repository: "RedHatAI/Llama-3.2-1B-Instruct-FP8-dynamic",
      layout: { ...fp8DynamicLayout, ...withHead },
    }),
    redHatFp8({
      repository: "RedHatAI/Llama-3.2-1B-Instruct-FP8",
      layout: { ...fp8StaticLayout, ...withHead },
    }),
    redHatInt8({
      repository: "RedHatAI/Llama-3.2-1B-Instruct-quantized.w8a8",
      layout: { ...int8Layout, ...withHead },
    }),
  ],
  "llama-3.2-3b": [bf16("meta-llama/Llama-3.2-3B", "13afe5124825b4f3751f836b40dafda64c1ed062")],
  "llama-3.2-3b-instruct": [
    bf16("meta-llama/Llama-3.2-3B-Instruct", "0cb88a4f764b7a12671c53f0838cd831a0843b95"),
    redHatFp8({
      repository: "RedHatAI/Llama-3.2-3B-Instruct-FP8-dynamic",
      layout: { ...fp8DynamicLayout, ...withHead },
    }),
    redHatFp8({
      repository: "RedHatAI/Llama-3.2-3B-Instruct-FP8",
      layout: { ...fp8StaticLayout, ...withHead },
    }),
  ],
  "llama-3.3-70b-instruct": [
    bf16("meta-llama/Llama-3.3-70B-Instruct", "6f6073b423013f6a7d4d9f39144961bfbfbc386b"),
    redHatFp8({
      repository: "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic",
      revision: "ddb4128556dfcff99e0c41aee159ea6c3e655dcd",
    }),
    nvidiaFp8("nvidia/Llama-3.3-70B-Instruct-FP8", "fde04ee76a27704c88f569542ef023b57d4d0362", {
      declaresFp8KvCache: true,
    }),
    redHatInt8({
      repository: "RedHatAI/Llama-3.3-70B-Instruct-quantized.w8a8",
      revision: "dc36722e6cb1e6b98d0144fd6059933d19c00ebf",
    }),
    int4("compressed-tensors", {
      repository: "RedHatAI/Llama-3.3-70B-Instruct-quantized.w4a16",
      layout: int4ActivationOrderLayout,
    }),
  ],
  "llama-guard-3-8b": [bf16("meta-llama/Llama-Guard-3-8B", "7327bd9f6efbbe6101dc6cc4736302b3cbb6e425")],
  "llama-guard-3-1b": [bf16("meta-llama/Llama-Guard-3-1B", "acf7aafa60f0410f8f42b1fa35e077d705892029")],
};
