// The published checkpoints of each model, pinned: a revision is what makes a plan's numbers true tomorrow.
// A repository whose commit could not be confirmed from a public source has none here, and must be pinned by the spec.
import type { Checkpoint } from "./checkpoints/checkpoint.ts";
import { llama31 } from "./checkpoints/llama-3.1.ts";
import { llama32AndLater } from "./checkpoints/llama-3.2-and-later.ts";
import type { Architecture } from "./models.ts";
import type { WeightFormat } from "./weight-bytes.ts";

export type { Checkpoint } from "./checkpoints/checkpoint.ts";

/** Formats that a planner may choose by itself; the others cost quality, and are for who asks for them. */
export const formatsOfAuto: readonly WeightFormat[] = ["bf16", "fp8"];

const checkpointsByModel: ReadonlyMap<string, readonly Checkpoint[]> = new Map(
  Object.entries({ ...llama31, ...llama32AndLater }),
);

/**
 * The published checkpoints of a model of the catalog; none for other names. Of one format the first that is pinned
 * and runs on the GPU is the default.
 */
export function checkpointsOf(modelName: string): readonly Checkpoint[] {
  return checkpointsByModel.get(modelName) ?? [];
}

/** The architecture of one revision. */
export interface ArchitectureAtRevision {
  readonly architecture: Architecture;
  /** Said where the revision is not known, and may hold another architecture than this. */
  readonly note?: string;
}

/** What a revision of a checkpoint holds, where revisions of its repository differ. */
export function architectureAt(
  architecture: Architecture,
  checkpoint: Checkpoint,
  revision: string,
): ArchitectureAtRevision {
  const history = checkpoint.revisions;
  if (history === undefined || revision === checkpoint.revision) return { architecture };
  const other = history.other[revision];
  if (other !== undefined) return { architecture: { ...architecture, ...other } };
  return {
    architecture: { ...architecture, ...history.possible },
    note: `revision ${revision.slice(0, 12)} of ${checkpoint.repository} is planned with more key-value heads than it may have: ${history.note}`,
  };
}
