// A pool of GPU nodes of Google Kubernetes Engine.
import { z } from "zod";
import { text } from "../../../../src/api/schema.ts";
import { capacity } from "../../capacity.ts";
import { cloudPoolFields } from "../cloud.ts";

export const gkePool = z.strictObject({
  ...cloudPoolFields,
  machineShape: text(63).describe("Machine type, such as `a3-highgpu-8g`."),
  zones: z.array(text(63)).min(1).describe("Zones of the nodes."),
  capacity: capacity.default({ kind: "onDemand" }),
});

export type GkePool = z.output<typeof gkePool>;
