// Whether the catalog has what was found: the very repository, or the architecture alone.
import { architectureAt, checkpointsOf, models, type Architecture } from "@llama-operator/llama/catalog";
import type { CheckpointFacts } from "./profile.ts";
import type { Origin } from "./target.ts";

export type KnownModel =
  /** The catalog has this repository: its name is enough, with the source where the revision is another. */
  | { readonly by: "repository"; readonly model: string; readonly pinned: boolean }
  /** The catalog has models of this architecture, and other weights. */
  | { readonly by: "architecture"; readonly models: readonly string[] };

/**
 * Looks the repository up, then the architecture. Where revisions of a repository differ, the catalog's name is enough
 * only at one that it takes for what was found.
 */
export function findKnown(
  origin: Origin,
  { architecture }: Pick<CheckpointFacts, "architecture">,
): KnownModel | undefined {
  if (origin.kind === "huggingFace") {
    const wanted = origin.repository.toLowerCase();
    for (const model of models) {
      const checkpoint = checkpointsOf(model.name).find(
        ({ repository }) => repository.toLowerCase() === wanted,
      );
      if (checkpoint === undefined) continue;
      const planned = architectureAt(model.architecture, checkpoint, origin.revision).architecture;
      if (!sameArchitecture(planned, architecture)) continue;
      return { by: "repository", model: model.name, pinned: checkpoint.revision === origin.revision };
    }
  }
  const alike = models.filter((model) => sameArchitecture(model.architecture, architecture));
  return alike.length === 0 ? undefined : { by: "architecture", models: alike.map(({ name }) => name) };
}

function sameArchitecture(left: Architecture, right: Architecture): boolean {
  const keys = Object.keys(left) as (keyof Architecture)[];
  return keys.every((key) => left[key] === right[key]);
}
