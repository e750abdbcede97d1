// What the operator can be told, each setting once: its type, default, bounds, and the flag of `llama-operator run`
// that sets it. The command line makes its options from this schema; tests and benchmarks parse what they need.
import { z } from "zod";

/** How the command line names a setting. */
export interface FlagMeta {
  /** As commander takes it: `--workers <number>`, or `--no-leader-elect` for what is on by default. */
  readonly flag: string;
  readonly description: string;
}

/** Ports end here; as seconds, 18 hours: longer than any of these times makes sense. */
const most = 65_535;

const seconds = (byDefault: number) => z.int().min(1).max(most).default(byDefault);
/** 0 takes a free port, and null is no server at all. */
const port = (byDefault: number | null) => z.int().min(0).max(most).nullable().default(byDefault);
const text = z.string().min(1);

function flag<T extends z.ZodType>(schema: T, flagText: string, description: string): T {
  return schema.meta({ flag: flagText, description } satisfies FlagMeta);
}

/** The settings of the operator's process. */
export const operatorConfig = z
  .strictObject({
    leaderElect: flag(z.boolean().default(true), "--no-leader-elect", "assume that no other operator runs"),
    leaseNamespace: flag(
      text.nullable().default(null),
      "--lease-namespace <name>",
      "namespace of the lease; else $POD_NAMESPACE or the kubeconfig's",
    ),
    leaseDurationSeconds: flag(
      seconds(15),
      "--lease-duration <number>",
      "how long others wait for a holder that is silent, in seconds",
    ),
    renewDeadlineSeconds: flag(
      seconds(10),
      "--renew-deadline <number>",
      "how long the holder writes without having renewed, in seconds",
    ),
    retryPeriodSeconds: flag(
      seconds(2),
      "--retry-period <number>",
      "time between two tries to renew, in seconds",
    ),
    healthPort: flag(
      port(8081),
      "--health-port <number>",
      "port of /healthz and /readyz; 0 takes a free one",
    ),
    metricsPort: flag(port(8080), "--metrics-port <number>", "port of /metrics; 0 takes a free one"),
    webhookPort: flag(
      port(null),
      "--webhook-port <number>",
      "port of the validating webhook; 0 takes a free one; without it there is none",
    ),
    webhookHost: flag(
      text.nullable().default(null),
      "--webhook-host <address>",
      "address that the webhook listens at; all by default",
    ),
    webhookConfiguration: flag(
      text.default("llama-operator"),
      "--webhook-configuration <name>",
      "ValidatingWebhookConfiguration that says how the webhook is called",
    ),
    workers: flag(
      z.int().min(1).max(most).default(16),
      "--workers <number>",
      "LlamaDeployments reconciled side by side",
    ),
    engineReports: flag(
      z.boolean().default(true),
      "--no-engine-reports",
      "do not ask engines how large their KV cache came out",
    ),
    logLevel: flag(
      z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
      "--log-level <level>",
      "least important lines to log, as JSON on standard error",
    ),
  })
  // The lease is safe only in this order; see LeaseElector.
  .superRefine(({ leaseDurationSeconds, renewDeadlineSeconds, retryPeriodSeconds }, context) => {
    const shorter = (path: string, bound: string): void =>
      context.addIssue({ code: "custom", path: [path], message: `must be shorter than ${bound}` });
    if (renewDeadlineSeconds >= leaseDurationSeconds)
      shorter("renewDeadlineSeconds", `--lease-duration (${leaseDurationSeconds} s)`);
    if (retryPeriodSeconds >= renewDeadlineSeconds)
      shorter("retryPeriodSeconds", `--renew-deadline (${renewDeadlineSeconds} s)`);
  });

export type OperatorConfig = z.infer<typeof operatorConfig>;
