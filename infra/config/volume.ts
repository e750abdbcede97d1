// A volume for weights: made by the stack, filled by its people, and read by the models that name it as their source.
import { z } from "zod";
import { objectName, quantity, text } from "@llama-operator/llama/api";
import { quantityValue } from "@llama-operator/llama/planning";

export const accessMode = z.enum(["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"]);

export const volume = z.strictObject({
  name: objectName.describe(
    "Name of the PersistentVolumeClaim, as a model's source.persistentVolumeClaim.claimName has it.",
  ),
  namespace: objectName.default("default").describe("Its namespace: that of the models that read it."),
  size: quantity
    .refine((size) => (quantityValue(size) ?? 0) > 0, { error: "must be more than nothing" })
    .describe('What it holds, such as `"500Gi"`: at least the checkpoints of the models that read it.'),
  storageClass: text(253).exactOptional().describe("Its StorageClass; the cluster's default when absent."),
  accessModes: z
    .array(accessMode)
    .min(1)
    .default(["ReadWriteMany"])
    .describe(
      "How it may be mounted: ReadWriteOnce by one node, which one replica on one node can do with. The default classes of the clouds have no other.",
    ),
  protect: z
    .boolean()
    .default(true)
    .describe("Refuse to destroy it: hundreds of gigabytes take hours to come again."),
});

export type VolumeConfiguration = z.output<typeof volume>;
