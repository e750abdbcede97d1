// Refusals in one voice: what is wrong, where, by how much; the alternatives are tried and added afterwards.
import type { Reason } from "../api/conditions.ts";
import type { Refusal } from "./plan.ts";

/** A refusal without alternatives. It waits only where the world may change by itself. */
export function refuse(reason: Reason, message: string): Refusal {
  return { kind: "refusal", waits: reason === "NoPool", reason, message, alternatives: [] };
}
