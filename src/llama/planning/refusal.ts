// Refusals in one voice: what is wrong, where, by how much; the alternatives are tried and added afterwards.
import type { Reason } from "../api/conditions.ts";
import type { Refusal } from "./plan.ts";

/** A refusal without alternatives. It waits only where the world may change by itself. */
export function refuse(reason: Reason, message: string): Refusal {
  return { kind: "refusal", waits: reason === "NoPool", reason, message, alternatives: [] };
}

/** A refusal in one paragraph, the same from kubectl apply and in status: what is wrong, then what would work. */
export function describeRefusal({ message, alternatives }: Refusal): string {
  if (alternatives.length === 0) return message;
  return `${message}. What would work: ${alternatives.map(({ summary }) => summary).join("; or ")}`;
}
