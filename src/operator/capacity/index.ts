// The public names of @llama-operator/operator/capacity. Other parts can import these and nothing else.
export { DeviceUse, matchesLabels, poolRoom } from "./capacity.ts";
export { type FreeGpus, GpuCapacity } from "./gpu-capacity.ts";
export type { AssumedWorkload } from "./made-pods.ts";
export type { NodeCapacity } from "./pool-nodes.ts";
export { type GpuRequest, waitingSince } from "./queue.ts";
export type { Footprint } from "./room.ts";
export type { CapacitySources } from "./sources.ts";
