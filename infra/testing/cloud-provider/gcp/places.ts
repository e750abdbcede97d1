// Zones and versions of Google Cloud, as far as tests use them.

import type { CloudAccount } from "../cloud.ts";

/** The one version that this cloud sells; its minor version is what the operator needs. Its patch and build are made up. */
const defaultVersion = "1.35.8-gke.1000000";

/** What GKE sells, oldest first. */
export const soldVersions = ({ versions }: CloudAccount): readonly string[] => versions ?? [defaultVersion];

/** The newest that is sold of a whole version or of a beginning such as `1.35`; of nothing the newest of all. */
export function resolveVersion(asked: string, account: CloudAccount): string | undefined {
  return soldVersions(account).findLast(
    (sold) => asked === "" || sold === asked || sold.startsWith(`${asked}.`) || sold.startsWith(`${asked}-`),
  );
}

/** https://cloud.google.com/compute/docs/regions-zones: these have other letters than a, b, c. */
const letters: Readonly<Record<string, readonly string[]>> = {
  "us-central1": ["a", "b", "c", "f"],
  "us-east1": ["b", "c", "d"],
  "europe-west1": ["b", "c", "d"],
};

/** https://cloud.google.com/compute/docs/regions-zones: those that tests are in. */
export const regions: readonly string[] = [
  "us-central1",
  "us-east1",
  "us-east4",
  "europe-west1",
  "europe-west4",
];

/** The zones of a region; a zone is its own. A regional cluster that names none has three. */
export function zonesOf(place: string, limit = 3): readonly string[] {
  if (/-[a-z]$/.test(place)) return [place];
  const known = letters[place] ?? ["a", "b", "c"];
  return known.slice(0, limit).map((letter) => `${place}-${letter}`);
}
