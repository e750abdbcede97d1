// Which cluster a stack stands on. Clusters that a cloud makes will be further members of this union.
import { z } from "zod";
import { text } from "../../src/api/schema.ts";

const local = z.strictObject({
  kind: z.literal("local"),
  name: z
    .string()
    .max(40)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .default("pulumi")
    .describe("Name of the local cluster, as `llama-operator local up --name` takes it."),
});

const given = z.strictObject({
  kind: z.literal("kubeconfig"),
  path: text(4096).exactOptional().describe("Path of the kubeconfig; $KUBECONFIG when absent."),
  context: text(253).exactOptional().describe("Context in it; the current one when absent."),
});

export const cluster = z.discriminatedUnion("kind", [local, given], {
  error: (issue) =>
    issue.code === "invalid_union"
      ? 'supported kinds: "local" (simulated nodes on this machine) and "kubeconfig" (a cluster that is there); clouds are not built yet'
      : undefined,
});

export type ClusterConfiguration = z.output<typeof cluster>;
