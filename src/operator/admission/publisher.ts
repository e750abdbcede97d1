// Keeps the API server trusting this replica's webhook: puts its certificates into the caBundle of one
// ValidatingWebhookConfiguration, again whenever they are taken out, and the next ones in time.
//
// Guarantees
// - Only caBundle is changed, and only in the state that was read: a conflict is settled by the watch's next event.
// - At rest nothing is written; one object is watched, by name, and read again every ten minutes in case the watch died
//   unnoticed.
// - A configuration that is missing, or that may not be changed, is waited for: the operator works without its webhook.
// Assumptions
// - Every webhook of the configuration is ours. Its clientConfig says under which names it is called.
import {
  type KubeClient,
  isConflict,
  isExpired,
  isForbidden,
  type KubeObject,
  type Live,
  resourceType,
} from "@llama-operator/kube-runtime/client";
import { Backoff, type Clock, type Logger } from "@llama-operator/kube-runtime";
import type { SelfSignedCertificate } from "@llama-operator/kube-runtime/certificates";
import { bundleWith } from "./bundle.ts";
import type { ServingCertificates } from "./certificates.ts";

interface ClientConfig {
  readonly service?: { readonly namespace: string; readonly name: string };
  readonly url?: string;
  /** PEM in base64. */
  readonly caBundle?: string;
}

/** `admissionregistration.k8s.io/v1`, as much of it as is read here. */
export interface ValidatingWebhookConfiguration extends KubeObject {
  webhooks?: readonly { readonly name: string; readonly clientConfig: ClientConfig }[];
}

export const webhookConfigurations = resourceType<ValidatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  namespaced: false,
});

export interface PublisherOptions {
  /** Not fenced: every replica publishes its own, a standby too. */
  readonly client: KubeClient;
  /** Of the configuration. */
  readonly name: string;
  readonly certificates: ServingCertificates;
  /** Serves new connections with this certificate from now on. */
  readonly serve: (certificate: SelfSignedCertificate) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

const fieldManager = "llama-operator";
const readAgainMs = 600_000;
const retryBackoff = { initialMs: 500, maxMs: 60_000, resetAfterMs: 300_000 } as const;

export class CertificatePublisher {
  readonly #options: PublisherOptions;
  readonly #log: Logger;
  #served: SelfSignedCertificate | undefined;
  #waiting: string | undefined = "its certificate is not published yet";

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#log = options.logger.child({ configuration: options.name });
  }

  /** What readiness waits for; nothing once it is known whether the certificate can be published. */
  get waiting(): string | undefined {
    return this.#waiting;
  }

  /** Publishes until the signal is aborted; never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const backoff = new Backoff(retryBackoff, clock, random);
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof RenewalDue || isExpired(error)) continue;
        if (isForbidden(error)) this.#waiting = undefined;
        this.#log.warn("cannot publish the webhook's certificate; trying again", { error });
        await clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
      }
    }
  }

  /** Reads the configuration and follows it until something of ours is due. @throws RenewalDue then */
  async #follow(signal: AbortSignal): Promise<void> {
    const { client, clock, name, certificates } = this.#options;
    const selection = { fieldSelector: `metadata.name=${name}` };
    const { items, resourceVersion } = await client.list(webhookConfigurations, { ...selection, signal });
    const found = items.find(({ metadata }) => metadata.name === name);
    if (found === undefined) {
      this.#log.warn("there is no such ValidatingWebhookConfiguration: nothing asks the webhook");
      this.#waiting = undefined;
    }
    let hasWebhook = found !== undefined && (await this.#rotate(found, signal));
    const cut = new AbortController();
    const stop = (): void => cut.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const untilDue = (): number =>
      hasWebhook ? Math.min(Math.max(certificates.dueAtMs() - clock.now(), 0), readAgainMs) : readAgainMs;
    const due = (): void => cut.abort(new RenewalDue());
    let cancel = clock.setTimeout(due, untilDue());
    try {
      const watch = { ...selection, resourceVersion, signal: cut.signal };
      for await (const event of client.watch(webhookConfigurations, watch)) {
        if (event.type !== "ADDED" && event.type !== "MODIFIED") continue;
        if (event.object.metadata.name !== name) continue;
        hasWebhook = await this.#rotate(event.object, signal);
        cancel();
        cancel = clock.setTimeout(due, untilDue());
      }
      // A server that ends every watch at once must not be asked in a loop.
      await clock.sleep(retryBackoff.initialMs, cut.signal);
    } finally {
      cancel();
      signal.removeEventListener("abort", stop);
    }
  }

  /** Makes what is due, adds what the bundle lacks, serves what may be served. False where it names no webhook. */
  async #rotate(found: Live<ValidatingWebhookConfiguration>, signal: AbortSignal): Promise<boolean> {
    const { certificates, clock } = this.#options;
    const { webhooks = [] } = found;
    const names = calledNames(webhooks);
    if (names.length === 0) return false;
    const own = certificates.rotate(names, clock.now());
    this.#serve();
    const wanted = webhooks.map((webhook) => {
      const caBundle = bundleWith(webhook.clientConfig.caBundle, own, clock.now());
      return { ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } };
    });
    const isMissing = wanted.some(
      ({ clientConfig }, index) => clientConfig.caBundle !== webhooks[index]?.clientConfig.caBundle,
    );
    if (isMissing && !(await this.#write(found, wanted, signal))) return true;
    certificates.published(clock.now());
    this.#waiting = undefined;
    return true;
  }

  /** False where another writer was faster: the watch brings what it wrote. */
  async #write(
    { metadata: { name, resourceVersion } }: Live<ValidatingWebhookConfiguration>,
    webhooks: ValidatingWebhookConfiguration["webhooks"],
    signal: AbortSignal,
  ): Promise<boolean> {
    const options = { fieldManager, resourceVersion, signal };
    try {
      await this.#options.client.mergePatch(webhookConfigurations, { name }, { webhooks }, options);
      this.#log.info("published the webhook's certificate");
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  #serve(): void {
    const { serving } = this.#options.certificates;
    if (serving === undefined || serving === this.#served) return;
    this.#served = serving;
    this.#options.serve(serving);
  }
}

/** As the API server calls a webhook: a Service by `name.namespace.svc`, a URL by its host. */
function calledNames(webhooks: NonNullable<ValidatingWebhookConfiguration["webhooks"]>): readonly string[] {
  const names = webhooks.flatMap(({ clientConfig: { service, url } }) => {
    if (service !== undefined) return [`${service.name}.${service.namespace}.svc`];
    return url === undefined ? [] : [new URL(url).hostname.replaceAll(/[[\]]/g, "")];
  });
  return [...new Set(names)].sort();
}

/** A certificate of ours is to be made or served: the watch ends for it. */
class RenewalDue extends Error {
  override readonly name = "RenewalDue";
}
