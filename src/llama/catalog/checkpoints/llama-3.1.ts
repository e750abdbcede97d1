// Checkpoints of Llama 3.1. Revisions were confirmed in public snapshots of the hub's cache and in pinned downloads,
// each in several repositories unless said.
import { awqLayout, fbgemmLayout, gptqLayout, int4Layout } from "../weight-bytes.ts";
import { bf16, int4, nvidiaFp8, redHatFp8, redHatInt8 } from "./checkpoint.ts";
import type { Checkpoint, RevisionHistory } from "./checkpoint.ts";

/**
 * In July 2024 the 405B was uploaded with 16 key-value heads, and on 9 August with 8. Sources: ollama/ollama#6303;
 * e04e3022 is in a start-up log of 25 July 2024 in Lambda's documentation.
 */
const twoUploads: RevisionHistory = {
  other: { e04e3022cdc89bfed0db69f5ac1d249e21ee2d30: { keyValueHeads: 16 } },
  possible: { keyValueHeads: 16 },
  note: "uploads of before 9 August 2024 have 16 key-value heads instead of 8, and so twice the KV cache: see num_key_value_heads in its config.json",
};

/**
 * 405B-Instruct: in mlcommons/inference, as 126 layers, 128 heads, 8 key-value heads; 405B base with its
 * 405,853,388,800 parameters; NVIDIA's 405B FP8 in NVIDIA's Megatron Bridge guide with its size of 410.1 GB, which
 * only 8 key-value heads give. RedHatAI's 70B FP8 and w4a16 are pinned in one project, under the old name
 * neuralmagic; its 70B w8a8 and hugging-quants' 8B GPTQ in one file each. Of the other quantised 405B no revision
 * is pinned, because of none both the commit and its key-value heads are confirmed.
 */
export const llama31: Readonly<Record<string, readonly Checkpoint[]>> = {
  "llama-3.1-8b": [bf16("meta-llama/Llama-3.1-8B", "d04e592bb4f6aa9cfee91e2e20afa771667e1d4b")],
  "llama-3.1-8b-instruct": [
    bf16("meta-llama/Llama-3.1-8B-Instruct", "0e9e39f249a16976918f6564b8830bc894c89659"),
    redHatFp8({ repository: "RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8-dynamic" }),
    redHatFp8({ repository: "RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8" }),
    nvidiaFp8("nvidia/Llama-3.1-8B-Instruct-FP8", "42d9515ebd69eea3a87351d079c671c3c5ff0a31", {
      declaresFp8KvCache: true,
    }),
    redHatInt8({ repository: "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w8a8" }),
    int4("awq", {
      repository: "hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4",
      revision: "db1f81ad4b8c7e39777509fac66c652eb0a52f91",
      layout: awqLayout,
    }),
    int4("gptq", {
      repository: "hugging-quants/Meta-Llama-3.1-8B-Instruct-GPTQ-INT4",
      revision: "ba3eae7a24afbe0fb490020523cd099b69703f65",
      layout: gptqLayout,
    }),
    int4("gptq", { repository: "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16", layout: gptqLayout }),
  ],
  "llama-3.1-70b": [bf16("meta-llama/Llama-3.1-70B", "349b2ddb53ce8f2849a6c168a81980ab25258dac")],
  "llama-3.1-70b-instruct": [
    bf16("meta-llama/Llama-3.1-70B-Instruct", "1605565b47bb9346c5515c34102e054115b4f98b"),
    redHatFp8({ repository: "RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8-dynamic" }),
    nvidiaFp8("nvidia/Llama-3.1-70B-Instruct-FP8", "07a08be3d8a8f5254c2aba375b79743bca8fd491", {
      declaresFp8KvCache: true,
    }),
    redHatFp8({
      repository: "RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8",
      revision: "08b31c0f951f2227f6cdbc088cdb6fd139aecf0f",
    }),
    redHatInt8({
      repository: "RedHatAI/Meta-Llama-3.1-70B-Instruct-quantized.w8a8",
      revision: "f3ebf1a9813986f26ec6984f5700281a9f6d8a54",
    }),
    int4("awq", {
      repository: "hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4",
      revision: "2123003760781134cfc31124aa6560a45b491fdf",
      layout: awqLayout,
    }),
    int4("gptq", { repository: "hugging-quants/Meta-Llama-3.1-70B-Instruct-GPTQ-INT4", layout: gptqLayout }),
    // Its layout is not confirmed: taken to be the 8B's, the larger of the two that Red Hat has used.
    int4("gptq", {
      repository: "RedHatAI/Meta-Llama-3.1-70B-Instruct-quantized.w4a16",
      revision: "8c670bcdb23f58a977e1440354beb7c3e455961d",
      layout: gptqLayout,
    }),
  ],
  "llama-3.1-405b": [
    bf16("meta-llama/Llama-3.1-405B", "b906e4dc842aa489c962f9db26554dcfdde901fe", twoUploads),
  ],
  "llama-3.1-405b-instruct": [
    bf16("meta-llama/Llama-3.1-405B-Instruct", "be673f326cab4cd22ccfef76109faf68e41aa5f1", twoUploads),
    redHatFp8({ repository: "RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8-dynamic", revisions: twoUploads }),
    redHatFp8({ repository: "RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8", revisions: twoUploads }),
    nvidiaFp8("nvidia/Llama-3.1-405B-Instruct-FP8", "a0a0bc4e698fbbe4eb184bbd62067ff195a65a39"),
    {
      repository: "meta-llama/Llama-3.1-405B-Instruct-FP8",
      revision: "64a54b704768dfd589a3e4ac05d546052f67f4fd",
      format: "fp8",
      layout: fbgemmLayout,
      quantMethod: "fbgemm_fp8",
      gated: true,
      deprecated: true,
      revisions: twoUploads,
    },
    redHatInt8({
      repository: "RedHatAI/Meta-Llama-3.1-405B-Instruct-quantized.w8a8",
      revisions: twoUploads,
    }),
    int4("awq", {
      repository: "hugging-quants/Meta-Llama-3.1-405B-Instruct-AWQ-INT4",
      layout: awqLayout,
      revisions: twoUploads,
    }),
    int4("gptq", {
      repository: "hugging-quants/Meta-Llama-3.1-405B-Instruct-GPTQ-INT4",
      layout: gptqLayout,
      revisions: twoUploads,
    }),
    int4("compressed-tensors", {
      repository: "RedHatAI/Meta-Llama-3.1-405B-Instruct-quantized.w4a16",
      layout: int4Layout,
      revisions: twoUploads,
    }),
  ],
};
