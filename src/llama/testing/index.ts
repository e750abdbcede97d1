// The public names of @llama-operator/llama/testing. Other parts can import these and nothing else.
export { type Case, cases } from "./planned-cases.ts";
