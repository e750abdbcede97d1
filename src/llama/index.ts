// The public names of @llama-operator/llama. Other parts can import these and nothing else.
export { evaluate, evaluateInDetail } from "./evaluate.ts";
