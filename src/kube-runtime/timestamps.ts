// Times as Kubernetes writes them. Its own types drop what they do not hold, so a time of another precision reads
// back differently from what was sent, and looks like a change.

/** metav1.Time: RFC 3339 in UTC with whole seconds; what is less than a second is cut off. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

/** metav1.MicroTime: RFC 3339 in UTC with six digits of the second; a Date has three. */
export function formatMicroTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}
