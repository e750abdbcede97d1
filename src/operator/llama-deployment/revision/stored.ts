// The revisions that are stored for an object, and which of them is in force.
import type { Footprint } from "../../capacity/room.ts";
import type { LlamaDeployment } from "@llama-operator/llama/api";
import { sameWish, wishOf, type PlanInForce } from "@llama-operator/llama/planning";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { readRevision, RevisionUnreadable } from "../../workloads/controller-revision.ts";
import { placedAt, type Placement } from "../../workloads/placement.ts";
import type { RevisionData } from "../../workloads/revision.ts";
import type { LiveWorkload } from "../replicas/replica.ts";
import { madeForOf, type MadeFor } from "./made-for.ts";
import { placementsOf } from "./placements.ts";

export interface StoredRevision {
  readonly data: RevisionData;
  /** Counts up with each new revision. */
  readonly number: number;
  /** What its plan answers; absent where it was stored before that was kept. */
  readonly madeFor?: MadeFor | undefined;
  /** Where its pods are placed; further ones go to the last. */
  readonly placements: readonly Placement[];
  /** The same revision at each of these, and at home. */
  readonly placed: readonly [RevisionData, ...RevisionData[]];
  readonly object: Live<KubeObject>;
}

/** What runs, or is to. */
export interface ChosenRevision {
  /** As further pods are placed. */
  readonly data: RevisionData;
  /** Set where further pods go elsewhere than is stored. */
  readonly moved?: Placement;
  /** Set where the revision must be stored first, under this number. */
  readonly newNumber?: number;
}

/** Reads ControllerRevisions, each version of one once: a pass at rest parses nothing. */
export class RevisionReader {
  readonly #read = new WeakMap<KubeObject, StoredRevision | RevisionUnreadable>();

  /** Oldest first. Those that cannot be read are left out, and so are their workloads: nobody touches them. */
  stored(objects: readonly Live<KubeObject>[]): readonly StoredRevision[] {
    const revisions: StoredRevision[] = [];
    for (const object of objects) {
      let known = this.#read.get(object);
      if (known === undefined) {
        known = parse(object);
        this.#read.set(object, known);
      }
      if (!(known instanceof RevisionUnreadable)) revisions.push(known);
    }
    return revisions.sort((a, b) => a.number - b.number);
  }
}

/**
 * The revision whose plan is in force: the one that status names, in doubt the newest. The newest too where that was made
 * for what the spec asks for and status names another: a pass has stored it and ended before its status was written.
 */
export function revisionInForce(
  { status, spec }: Pick<LlamaDeployment, "status" | "spec">,
  stored: readonly StoredRevision[],
): StoredRevision | undefined {
  const named = stored.find(({ data }) => data.hash === status?.currentRevision);
  const newest = stored.at(-1);
  if (named === undefined) return newest;
  const wish = wishOf(spec);
  const isFor = (revision: StoredRevision | undefined): boolean =>
    revision?.madeFor !== undefined && sameWish(revision.madeFor.wish, wish);
  return !isFor(named) && isFor(newest) && newest?.madeFor?.adopted === undefined ? newest : named;
}

/** The plan of a revision, as planning is told of it; undefined where its engine was asked for other settings. */
export function planInForce(
  revision: StoredRevision,
  { spec }: Pick<LlamaDeployment, "spec">,
): PlanInForce | undefined {
  const { data, madeFor } = revision;
  const { plan } = placedNow(revision);
  if (madeFor !== undefined) return { plan, madeFor: madeFor.wish };
  // What was stored before wishes were has the engine's part of it.
  const wish = wishOf(spec);
  return sameWish({ ...wish, engine: data.intent.engine }, wish) ? { plan } : undefined;
}

/** The revision as further pods of it were placed so far. */
export function placedNow({ data, placed }: StoredRevision): RevisionData {
  return placed.at(-1) ?? data;
}

/**
 * The revision to look after while the generation is blocked: the one that status names, or, where status was lost, the
 * one of which most replicas answer. None where that cannot be read, or none runs: nothing is started on a guess.
 */
export function servingRevision(
  { status }: Pick<LlamaDeployment, "status">,
  stored: readonly StoredRevision[],
  workloads: readonly LiveWorkload[],
): StoredRevision | undefined {
  const named = status?.currentRevision;
  if (named !== undefined) return stored.find(({ data }) => data.hash === named);
  const answering = ({ data }: StoredRevision): number =>
    workloads
      .filter(({ revision }) => revision === data.hash)
      .flatMap(({ replicas }) => replicas)
      .filter(({ ready }) => ready).length;
  const runs = ({ data }: StoredRevision): boolean =>
    workloads.some(({ revision }) => revision === data.hash);
  return stored
    .filter(runs)
    .toSorted((a, b) => answering(a) - answering(b))
    .at(-1);
}

function parse(object: Live<KubeObject>): StoredRevision | RevisionUnreadable {
  try {
    const data = readRevision(object);
    const number = (object as { revision?: number }).revision ?? 0;
    const placements = placementsOf(object, data);
    const [first = data, ...others] = placements.map((placement) => placedAt(data, placement));
    const isHomeListed = [first, ...others].some(({ placement }) => placement === undefined);
    const placed = isHomeListed ? ([first, ...others] as const) : ([data, first, ...others] as const);
    return { data, number, madeFor: madeForOf(object), placements, placed, object };
  } catch (error) {
    if (error instanceof RevisionUnreadable) return error;
    throw error;
  }
}

/** What one replica takes of its nodes. */
export function footprintOf({ plan: { nodesPerReplica, pod } }: RevisionData): Footprint {
  const { gpus: gpusPerNode, cpuMillicores, memoryBytes, ephemeralStorageBytes } = pod;
  return { nodesPerReplica, gpusPerNode, requests: { cpuMillicores, memoryBytes, ephemeralStorageBytes } };
}
