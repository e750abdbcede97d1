// How EC2 gives the nodes of a pool. Google's flex-start and queues are not among them; a capacity block is what comes
// nearest.
import { z } from "zod";

/** An On-Demand Capacity Reservation by its id, or a resource group of several by its ARN. */
const reservation = z
  .string()
  .regex(/^(cr-[0-9a-f]{8,17}|arn:aws[-a-z]*:resource-groups:[-a-z0-9]+:\d{12}:group\/.+)$/, {
    error:
      "must be the id of a capacity reservation, such as cr-0123456789abcdef0, or the ARN of a resource group of them",
  })
  .describe("On-Demand Capacity Reservation: its id, or the ARN of a resource group of several.");

/**
 * EC2 begins to end the instances of a block 30 minutes before it is over.
 * Source: docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-capacity-blocks.html and eks/latest/userguide/capacity-blocks.html.
 */
export const minutesBeforeBlockEnds = 30;

const capacityBlock = z
  .strictObject({
    kind: z.literal("capacityBlock"),
    reservation: z
      .string()
      .regex(/^cr-[0-9a-f]{8,17}$/, {
        error: "must be the id of the block's reservation, such as cr-0123456789abcdef0",
      })
      .describe("EC2's id of the capacity block's reservation."),
    start: z.iso.datetime().describe("When it begins, RFC 3339 in UTC."),
    end: z.iso.datetime().describe("When it ends; the pool is emptied 30 minutes earlier."),
  })
  .refine(({ start, end }) => Date.parse(end) - Date.parse(start) > minutesBeforeBlockEnds * 60_000, {
    error: `the block must last longer than the ${minutesBeforeBlockEnds} minutes before its end, in which EC2 takes its nodes`,
    path: ["end"],
  });

export const eksCapacity = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("onDemand") }),
    z.strictObject({ kind: z.literal("spot") }),
    z.strictObject({ kind: z.literal("reserved"), reservation }),
    capacityBlock,
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? 'supported kinds on EKS: "onDemand", "spot", "reserved", "capacityBlock"; flexStart and queued are Google\'s: for nodes at a later time write a capacityBlock'
        : undefined,
  },
);

export type EksCapacity = z.output<typeof eksCapacity>;
