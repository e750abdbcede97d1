// The public names of @llama-operator/llama/planning. Other parts can import these and nothing else.
export {
  type PromisedMemory,
  largestOverheads,
  measuredOverheadOf,
  overheadBytesOf,
} from "./choice/measured-overheads.ts";
export { type Difference, differencesOf } from "./choice/differences.ts";
export { gatedNote } from "./intent/resolve.ts";
export { type Wish, sameWish, wishOf } from "./intent/wish.ts";
export { engineSettings } from "./intent/settings.ts";
export { hardwareOf, isUsable } from "./node/hardware.ts";
export { type PerformanceInput, decodeBound, prefillTokensPerSecond } from "./performance.ts";
export type { Alternative, Plan, PlanInForce, PlanResult, PoolFacts, Refusal, Weights } from "./plan.ts";
export { type Details, placePlan, placesOf } from "./planner.ts";
export { quantityValue } from "./quantity.ts";
export { describeRefusal } from "./refusal.ts";
export {
  describeLayout,
  explainMemory,
  explainReasons,
  explainSummary,
  summarize,
} from "./messages/explain.ts";
export { type Term, totalBytes } from "./messages/explanation.ts";
export { contextLength, counted, gib, thousands } from "./messages/format.ts";
