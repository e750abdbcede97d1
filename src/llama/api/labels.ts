// Label selectors of the kinds: `matchLabels` alone, as they are in a spec.

/** Whether an object's labels have every wanted one, with its value. Nothing wanted matches everything. */
export function matchesLabels(
  labels: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(
    ([key, value]) => labels !== undefined && Object.hasOwn(labels, key) && labels[key] === value,
  );
}
