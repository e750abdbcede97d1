// The webhook as one part of the operator that runs from start to stop, on every replica: server, opinion, certificate.
import type { KubeClient } from "@llama-operator/kube-runtime/client";
import type { Clock, Logger, RuntimeMetrics } from "@llama-operator/kube-runtime";
import type { Runnable } from "@llama-operator/kube-runtime/process";
import { welcome, type AdmissionRequest, type Opinion } from "./admission-review.ts";
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
 * A refusal is thought over for this long: the pool that `kubectl apply` made just before may still be on its way
 * here. People wait for it only when they are refused.
 */
const secondLookMs = 300;

export function makeWebhook(options: WebhookOptions): Webhook {
  const { logger, metrics, owner } = options;
  const server = new AdmissionServer({
    ...options,
    metrics: metrics.webhook(validatePath),
    review: async (request) => secondOpinion(request, options),
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
async function secondOpinion(
  request: AdmissionRequest,
  { planning, isSynced, clock }: WebhookOptions,
): Promise<Opinion> {
  if (!isSynced()) return welcome;
  const first = review(request, planning);
  if (first.allowed) return first;
  await clock.sleep(secondLookMs);
  return review(request, planning);
}
