// The public names of @llama-operator/kube-runtime/http. Other parts can import these and nothing else.
export { type FetchText, type TextRequest, type TextResponse, fetchText } from "./fetch-text.ts";
export { type ListenAddress, closeServer, listen } from "./serve.ts";
