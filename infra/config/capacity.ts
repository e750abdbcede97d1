// Capacity type of a pool: a union, because each type needs other facts. GpuPools carry the kind alone.
import { z } from "zod";
import { int32, text } from "@llama-operator/llama/api";

/** Flex-start nodes live seven days at most (`maxRunDuration` of GKE's node pools). */
const longestFlexStartSeconds = 7 * 24 * 3600;

const zone = text(63).describe("Zone that holds it.");

const capacityBlock = z
  .strictObject({
    kind: z.literal("capacityBlock"),
    reservation: z
      .string()
      .regex(/^cr-[0-9a-f]+$/)
      .describe("EC2's id of the capacity block, such as `cr-0123456789abcdef0`."),
    zone,
    start: z.iso.datetime().describe("When it begins, RFC 3339 in UTC."),
    end: z.iso.datetime().describe("When it ends."),
  })
  .refine(({ start, end }) => Date.parse(start) < Date.parse(end), {
    error: "the block must end after it starts",
    path: ["end"],
  });

const kinds = [
  z.strictObject({ kind: z.literal("onDemand") }),
  z.strictObject({ kind: z.literal("spot") }),
  z.strictObject({
    kind: z.literal("reserved"),
    reservation: text(512).describe("Name or id of the reservation."),
    zone,
  }),
  z.strictObject({
    kind: z.literal("flexStart"),
    maxRunSeconds: int32(600, longestFlexStartSeconds).describe("How long a node may live."),
  }),
  z.strictObject({ kind: z.literal("queued") }),
  capacityBlock,
] as const;

export const capacity = z.discriminatedUnion("kind", kinds, {
  error: (issue) =>
    issue.code === "invalid_union"
      ? 'supported kinds: "onDemand", "spot", "reserved", "flexStart", "queued", "capacityBlock"'
      : undefined,
});

/** Whether capacity of a kind was bought: what is destroyed by mistake may not be available again. */
const isBought = (kind: z.output<typeof capacity>["kind"]): boolean =>
  kind === "reserved" || kind === "capacityBlock";

/** Whether a pool may not be destroyed by mistake: where it says so, and else where its capacity was bought. */
export const isProtected = (pool: {
  readonly protect?: boolean;
  readonly capacity: { readonly kind: z.output<typeof capacity>["kind"] };
}): boolean => pool.protect ?? isBought(pool.capacity.kind);
