// When a pool of a capacity block has nodes. The clock comes from outside: a program is run before, within and after.
import type { EksCapacity } from "../config/capacity.ts";
import { minutesBeforeBlockEnds } from "../config/capacity.ts";

type CapacityBlock = Extract<EksCapacity, { readonly kind: "capacityBlock" }>;

/** When the pool is emptied, so that pods end in order before EC2 takes the instances. */
export function emptiedAt({ end }: CapacityBlock): Date {
  return new Date(Date.parse(end) - minutesBeforeBlockEnds * 60_000);
}

/** Nodes that a block's pool is to have now. EKS refuses a size above 0 before the block starts. */
export function nodesOfBlock(block: CapacityBlock, most: number, now: Date): number {
  return now >= new Date(block.start) && now < emptiedAt(block) ? most : 0;
}

/** As EC2 Auto Scaling reads times: without fractions of a second. */
export const asScheduled = (time: Date): string => time.toISOString().replace(/\.\d{3}Z$/, "Z");
