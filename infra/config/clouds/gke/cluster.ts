// A cluster of Google Kubernetes Engine.
import { z } from "zod";
import { text } from "../../../../src/api/schema.ts";

export const gkeCluster = z.strictObject({
  kind: z.literal("gke"),
  project: text(63).describe("Id of the Google Cloud project."),
  region: text(63).describe("Region of the cluster: its control plane is in several zones."),
  name: text(40).describe("Name of the cluster."),
});

export type GkeCluster = z.output<typeof gkeCluster>;
