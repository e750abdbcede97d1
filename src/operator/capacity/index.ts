// The public names of @llama-operator/operator/capacity. Other parts can import these and nothing else.
export { DeviceUse, matchesLabels, poolRoom } from "./capacity.ts";
