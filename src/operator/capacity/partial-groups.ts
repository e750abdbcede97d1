// Groups of which some rank has no node, and which of them are to be taken back. Nodes that a pool may still grow by
// count as room for several groups at once; where they come one at a time, each group may hold a part of what it needs
// and none can ever answer. Pure.
//
// Rule: while the first of them lacks nodes, groups that stand behind it hold none: they are taken back, the last first,
// as many as it takes. A rank that has no node makes the others useless, so that nothing that answers is lost.
// Order: groups that have answered before, then priority, then age, then name; last those that cannot be complete,
// because a rank of theirs is refused, or waits for something else than GPUs.
import type { Pod } from "../observed/pod.ts";
import type { NodeResources } from "../observed/resources.ts";
import type { GroupObject } from "./sources.ts";
import { slots, type Footprint, type NodesByGpus } from "./room.ts";
import type { PriorityOf } from "./queue.ts";

/** GPUs of a node that a rank holds. */
export interface HeldGpus {
  readonly node: string;
  readonly gpus: number;
  readonly requests?: NodeResources;
}

/**
 * What ranks without a node are short of. `gpus`: of nothing else, the scheduler says. `time`: some of them have not
 * been made yet, or not been looked at. `more`: some of them need something that no free GPU gives.
 */
export type Shortage = "gpus" | "time" | "more";

export interface PartialGroup {
  readonly holder: string;
  /** The LeaderWorkerSet, within the holder's namespace. */
  readonly name: string;
  readonly uid: string;
  readonly priorityClassName: string | undefined;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  /** What each rank takes of its node. */
  readonly pod: Pick<Footprint, "gpusPerNode" | "requests">;
  /** Ranks without a node. */
  readonly lacks: number;
  readonly held: readonly HeldGpus[];
  readonly shortage: Shortage;
  /** It has been complete and answered at some time. */
  readonly hasAnswered: boolean;
  /** Some rank is Ready. */
  readonly answers: boolean;
}

/**
 * Whether a group has answered before: LeaderWorkerSet adds this condition once it is True, and sets it to False later
 * but never removes it (lws, pkg/controllers/leaderworkerset_controller.go, setCondition).
 */
export function hasAnswered({ status }: GroupObject): boolean {
  return status?.conditions?.some(({ type }) => type === "Available") ?? false;
}

/** What a rank without a node is short of, by the scheduler's words: "0/4 nodes are available: 4 Insufficient nvidia.com/gpu." */
export function shortageOf({ unschedulable, devices }: Pod): Shortage {
  if (unschedulable === undefined) return "time";
  return Object.keys(devices).some((resource) => unschedulable.includes(resource)) ? "gpus" : "more";
}

/** The shortage of a group, of those of its ranks: that which lasts longest. */
export function longestShortage(ofRanks: readonly Shortage[]): Shortage {
  return (["more", "time"] as const).find((each) => ofRanks.includes(each)) ?? "gpus";
}

/** A group that lacks nodes, and those behind it that hold some. */
export interface Contest {
  readonly first: PartialGroup;
  /** To be taken back for it. */
  readonly back: readonly PartialGroup[];
}

export interface PartialGroups {
  readonly groups: readonly PartialGroup[];
  readonly priorityOf: PriorityOf;
  /** Nodes by the free GPUs that ranks of a group can take, once other groups are gone. */
  readonly freeWithout: (gone: readonly PartialGroup[], of: PartialGroup) => NodesByGpus;
}

/** The groups of a pool that are in the way of the first; undefined where none is. */
export function contestOf({ groups, priorityOf, freeWithout }: PartialGroups): Contest | undefined {
  const inOrder = groups.toSorted((a, b) => compareGroups(a, b, priorityOf));
  let lacks = 0;
  for (const [at, first] of inOrder.entries()) {
    const { shortage, pod } = first;
    if (shortage === "more") return undefined;
    lacks += first.lacks;
    const slotsWithout = (gone: readonly PartialGroup[]): number =>
      slots(freeWithout(gone, first), pod.gpusPerNode);
    if (slotsWithout([]) >= lacks) continue;
    // Whether it needs all that it lacks is seen when the scheduler has looked.
    if (shortage === "time") return undefined;
    const back = fewest(inOrder.slice(at + 1), lacks, slotsWithout);
    return back.length === 0 ? undefined : { first, back };
  }
  return undefined;
}

/** The fewest groups, the last first, that give so many slots, or as many as they have. */
function fewest(
  behind: readonly PartialGroup[],
  lacks: number,
  slotsWithout: (gone: readonly PartialGroup[]) => number,
): readonly PartialGroup[] {
  let back: readonly PartialGroup[] = [];
  for (const group of behind.toReversed()) {
    if (slotsWithout(back) >= lacks) break;
    const more = [...back, group];
    if (!group.answers && slotsWithout(more) > slotsWithout(back)) back = more;
  }
  const enough = Math.min(lacks, slotsWithout(back));
  for (const group of back.toReversed()) {
    const fewer = back.filter((each) => each !== group);
    if (slotsWithout(fewer) >= enough) back = fewer;
  }
  return back;
}

function compareGroups(a: PartialGroup, b: PartialGroup, priorityOf: PriorityOf): number {
  return (
    Number(a.shortage === "more") - Number(b.shortage === "more") ||
    Number(b.hasAnswered) - Number(a.hasAnswered) ||
    priorityOf(b.priorityClassName) - priorityOf(a.priorityClassName) ||
    a.createdMs - b.createdMs ||
    (nameOf(a) < nameOf(b) ? -1 : 1)
  );
}

function nameOf({ holder, name }: PartialGroup): string {
  return `${holder}/${name}`;
}
