// The public names of @llama-operator/operator/admission. Other parts can import these and nothing else.
export { type Webhook, makeWebhook } from "./webhook.ts";
