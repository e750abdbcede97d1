// The public names of @llama-operator/kube-runtime/http. Other parts can import these and nothing else.
export { type GetPage, type Page, type PageRequest, getPage } from "./get-page.ts";
