// A cluster that is there already. Those that a cloud makes are in clouds/.
import { z } from "zod";
import { text } from "@llama-operator/llama/api";
import { clouds } from "../clouds/clouds.ts";

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

const kinds = [
  '"local" (simulated nodes on this machine)',
  '"kubeconfig" (a cluster that is there)',
  ...Object.keys(clouds).map((kind) => `"${kind}"`),
];

export const cluster = z.discriminatedUnion("kind", [local, given], {
  error: (issue) => (issue.code === "invalid_union" ? `supported kinds: ${kinds.join(", ")}` : undefined),
});

export type ClusterConfiguration = z.output<typeof cluster>;
