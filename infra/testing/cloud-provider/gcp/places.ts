// Zones and versions of Google Cloud, as far as tests use them.

/** The one version that this cloud sells; its minor version is what the operator needs. Its patch and build are made up. */
export const defaultVersion = "1.35.8-gke.1000000";

/** https://cloud.google.com/compute/docs/regions-zones: these have other letters than a, b, c. */
const letters: Readonly<Record<string, readonly string[]>> = {
  "us-central1": ["a", "b", "c", "f"],
  "us-east1": ["b", "c", "d"],
  "europe-west1": ["b", "c", "d"],
};

/** The zones of a region; a zone is its own. A regional cluster that names none has three. */
export function zonesOf(place: string, limit = 3): readonly string[] {
  if (/-[a-z]$/.test(place)) return [place];
  const known = letters[place] ?? ["a", "b", "c"];
  return known.slice(0, limit).map((letter) => `${place}-${letter}`);
}
