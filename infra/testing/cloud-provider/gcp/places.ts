// Zones and versions of Google Cloud, as far as tests use them.

/** The first that DRANET works with, and newer than all other minima of the projects: facts of cluster-toolkit. */
export const defaultVersion = "1.34.1-gke.1829001";

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
