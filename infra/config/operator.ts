// How the operator is installed, and LeaderWorkerSet, which it needs for models that span nodes.
import { z } from "zod";
import {
  type ParsedOverheads,
  int32,
  objectName,
  parseMeasuredOverheads,
  text,
} from "@llama-operator/llama/api";

export const operator = z.strictObject({
  namespace: objectName.default("llama-operator").describe("Namespace of the operator; the stack makes it."),
  image: text(512)
    .exactOptional()
    .describe(
      "Image of the operator; required except on the local cluster, which runs this checkout's sources.",
    ),
  replicas: int32(1, 10).default(1).describe("Pods of the operator; one works, the others stand by."),
  takeOwnership: z
    .boolean()
    .exactOptional()
    .describe(
      "Take over what another release of the chart owns on this cluster, such as the kinds, after `namespace` was changed.",
    ),
  values: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Further values of the chart, as charts/llama-operator/values.yaml has them."),
});

export type OperatorConfiguration = z.output<typeof operator>;

/** Where the chart takes the measurements of running engines from. */
export const measuredOverheadsPath = "operator.values.planning.measuredOverheads";

/** The measurements that the operator is given: it starts with no list that has a mistake. */
export function readMeasuredOverheads({ values }: OperatorConfiguration): ParsedOverheads {
  const { planning } = values;
  const given = typeof planning === "object" && planning !== null ? planning : {};
  return parseMeasuredOverheads("measuredOverheads" in given ? given.measuredOverheads : undefined);
}

const installed = z.strictObject({ install: z.literal(true) });
const skipped = z.strictObject({
  install: z.literal(false),
  reason: text(256).describe("Why not: who runs it, or why no model needs it. Shown at every preview."),
});

export const leaderWorkerSet = z.discriminatedUnion("install", [installed, skipped], {
  error: (issue) => (issue.code === "invalid_union" ? "must be true, or false with a reason" : undefined),
});

export type LeaderWorkerSetConfiguration = z.output<typeof leaderWorkerSet>;
