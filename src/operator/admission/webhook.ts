// The webhook as one part of the operator that runs from start to stop, on every replica: server, decision, certificate.
import type { KubeClient } from "@llama-operator/kube-runtime/client";
import type { Clock, Logger, RuntimeMetrics } from "@llama-operator/kube-runtime";
import type { Runnable } from "@llama-operator/kube-runtime/process";
import { allow, type AdmissionRequest, type AdmissionDecision } from "./admission-review.ts";
import { ServingCertificates } from "./certificates.ts";
import { CertificatePublisher } from "./publisher.ts";
import { review, type PlanningSources } from "./review.ts";
import { AdmissionServer, validatePath } from "./server.ts";

export interface WebhookOptions {
  readonly port: number;
  readonly host?: string | undefined;
  /** Name of the ValidatingWebhookConfiguration. */
  readonly configuration: string;
  /** Names this replica; see {@link ServingCertificates}. */
  readonly owner: string;
  readonly certificateValiditySeconds?: number | undefined;
  readonly planning: PlanningSources;
  /** Whether the caches are filled. */
  readonly isSynced: () => boolean;
  /** Not fenced. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: RuntimeMetrics;
  readonly logger: Logger;
}

export interface Webhook extends Runnable {
  /** What readiness waits for. */
  readonly waiting: () => string | undefined;
}

/**
 * A refusal is re-evaluated after this delay: a GpuPool that `kubectl apply` made just before may not be cached yet.
 * Only refused requests wait for it.
 */
const recheckDelayMs = 300;

export function makeWebhook(options: WebhookOptions): Webhook {
  const { logger, metrics, owner } = options;
  const server = new AdmissionServer({
    ...options,
    metrics: metrics.webhook(validatePath),
    review: async (request) => recheckRefusal(request, options),
  });
  const publisher = new CertificatePublisher({
    ...options,
    name: options.configuration,
    certificates: new ServingCertificates({
      owner,
      validitySeconds: options.certificateValiditySeconds,
    }),
    serve: (certificate) => server.use(certificate),
  });
  return {
    name: "webhook",
    waiting: () => publisher.waiting,
    async run({ stop }) {
      const port = await server.listen();
      logger.info("listening", { server: "webhook", port });
      await publisher.run(stop);
      await server.close();
    },
  };
}

/** Before the caches are filled nothing is known, so nothing is refused. */
async function recheckRefusal(
  request: AdmissionRequest,
  { planning, isSynced, clock }: WebhookOptions,
): Promise<AdmissionDecision> {
  if (!isSynced()) return allow;
  const first = review(request, planning);
  if (first.allowed) return first;
  await clock.sleep(recheckDelayMs);
  return review(request, planning);
}
