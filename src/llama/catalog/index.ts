// The public names of @llama-operator/llama/catalog. Other parts can import these and nothing else.
export { architectureAt, checkpointsOf } from "./checkpoints.ts";
export { nearestNames } from "./edit-distance.ts";
export { vllmDriverFloor } from "./engines/cuda.ts";
export { type Fabric, type PodSecurityLevel, fabrics } from "./fabrics.ts";
export { findGpu, gpuResourceName, gpus } from "./gpus.ts";
export {
  type Allocatable,
  type Cloud,
  type MachineShape,
  findMachineShape,
  machineShapes,
} from "./machine-shapes.ts";
export { type NodeTaint, linuxLabels } from "./machines/machine-shape.ts";
export { type Architecture, findModel, models } from "./models.ts";
export { aksAllocatable, gkeAllocatable } from "./node-reservations.ts";
export { type WeightBlock, unknownMethodProblem } from "./quantisation.ts";
export { layerParameters, parameterCount } from "./weight-bytes.ts";
