// The engines that a LlamaDeployment can name, by type.
import type { Engine } from "./engine.ts";
import { vllm } from "./vllm.ts";

const engines: Readonly<Record<Engine["type"], Engine>> = { vllm };

/** The engine of `spec.engine.type`. */
export function engineFor(type: Engine["type"]): Engine {
  return engines[type];
}
