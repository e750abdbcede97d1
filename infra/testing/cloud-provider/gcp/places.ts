// Zones and versions of Google Cloud, as far as tests use them.

/** The first that DRANET works with, and newer than all other minima of the projects: facts of cluster-toolkit. */
export const defaultVersion = "1.34.1-gke.1829001";

/** https://cloud.google.com/compute/docs/regions-zones: these have other letters than a, b, c. */
const letters: Readonly<Record<string, string>> = {
  "us-central1": "abcf",
  "us-east1": "bcd",
  "europe-west1": "bcd",
};

/** The zones of a region; a zone is its own. A regional cluster that names none has three. */
export function zonesOf(place: string, limit = 3): readonly string[] {
  if (/-[a-z]$/.test(place)) return [place];
  return [...(letters[place] ?? "abc")].slice(0, limit).map((letter) => `${place}-${letter}`);
}
