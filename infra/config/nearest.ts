// The known names that are most like an unknown one, for the message about it.
import { nearestNames } from "@llama-operator/llama/catalog";

/** Names that begin so, or else those that differ least. */
export function nearest(name: unknown, known: readonly { readonly name: string }[]): string {
  const names = known.map((each) => each.name);
  const longer = names.filter((each) => each.startsWith(String(name)));
  return (longer.length > 0 ? longer : nearestNames(String(name), names)).slice(0, 3).join(", ");
}
