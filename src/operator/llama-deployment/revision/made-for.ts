// What the plan of a stored revision was made for: an annotation on its ControllerRevision, because the same plan can
// answer one wish after the other, and data of a ControllerRevision never changes.
import { z } from "zod";
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import { sameWish, type Wish } from "@llama-operator/llama/planning";

const annotation = "llama-operator.dev/plan-made-for";

export interface MadeFor {
  readonly wish: Wish;
  /**
   * The plan was not made for it: it was stored before wishes were, took the first one that it was seen with, and has
   * settings that this one would not be planned to.
   */
  readonly adopted?: true | undefined;
}

const stored = z.looseObject({
  wish: z.record(z.string(), z.unknown()),
  adopted: z.literal(true).optional(),
});

/** What the annotation says; undefined where there is none, or none that can be read. */
export function madeForOf({ metadata }: KubeObject): MadeFor | undefined {
  const text = metadata?.annotations?.[annotation];
  if (text === undefined) return undefined;
  try {
    return stored.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The annotation that says it. */
export function madeForAnnotation(madeFor: MadeFor): Readonly<Record<string, string>> {
  return { [annotation]: JSON.stringify(madeFor) };
}

export function sameMadeFor(one: MadeFor, other: MadeFor | undefined): boolean {
  return other !== undefined && one.adopted === other.adopted && sameWish(one.wish, other.wish);
}
