// The public names of @llama-operator/operator/capacity. Other parts can import these and nothing else.
export { DeviceUse } from "./device-use.ts";
export { nodeCapacity } from "./node-capacity.ts";
