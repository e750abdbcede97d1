// The LeaderWorkerSet controller of a local cluster: its CRDs and webhooks are those that its module ships,
// with the webhooks called by URL, because no Service leads to a process beside the cluster.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  isNotFound,
  type KubeClient,
  type KubeObject,
  type ObjectMeta,
  resourceType,
} from "@llama-operator/kube-runtime/client";
import type { BuiltPrograms } from "./build/build.ts";
import type { ClusterLayout } from "./configuration/layout.ts";
import { untilAnswers, untilSucceeds } from "./readiness.ts";

interface Named extends KubeObject {
  readonly metadata: ObjectMeta & { readonly name: string };
}

interface CustomResourceDefinition extends Named {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Webhook {
  readonly name: string;
  readonly clientConfig: Readonly<Record<string, unknown>>;
  readonly rules: readonly { readonly resources: readonly string[] }[];
}

interface WebhookConfiguration extends Named {
  readonly webhooks: readonly Webhook[];
}

const crdType = resourceType<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
});

const webhookTypes = [
  { kind: "MutatingWebhookConfiguration", plural: "mutatingwebhookconfigurations" },
  { kind: "ValidatingWebhookConfiguration", plural: "validatingwebhookconfigurations" },
].map((type) =>
  resourceType<WebhookConfiguration>({
    group: "admissionregistration.k8s.io",
    version: "v1",
    namespaced: false,
    ...type,
  }),
);

const fieldManager = "llama-operator-local";
const objectPrefix = "lws-";

export interface LeaderWorkerSetManifests {
  readonly crds: readonly CustomResourceDefinition[];
  readonly webhooks: readonly WebhookConfiguration[];
}

export async function readManifests(programs: BuiltPrograms): Promise<LeaderWorkerSetManifests> {
  const read = async (file: string) =>
    JSON.parse(await readFile(join(programs["leader-worker-set"], file), "utf8")) as KubeObject[];
  const [sets, disaggregated, webhooks] = await Promise.all([
    read("leaderworkerset.x-k8s.io_leaderworkersets.json"),
    read("disaggregatedset.x-k8s.io_disaggregatedsets.json"),
    read("manifests.json"),
  ]);
  return {
    // The controller watches both kinds and does not start without the second.
    crds: [...sets, ...disaggregated].map(withoutDescriptions) as CustomResourceDefinition[],
    webhooks: webhooks as WebhookConfiguration[],
  };
}

/** Two pod templates' descriptions are half a megabyte, which the API server would digest at every start. */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutDescriptions);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const kept = Object.entries(value).filter(
    ([key, inner]) => key !== "description" || typeof inner !== "string",
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutDescriptions(inner)]));
}

/**
 * The webhook configurations as this cluster needs them: by URL, and those for pods only for pods of a
 * LeaderWorkerSet, as the module's own deployment limits them.
 */
export function localWebhooks(
  webhooks: readonly WebhookConfiguration[],
  layout: ClusterLayout,
  caData: Buffer,
): readonly WebhookConfiguration[] {
  return webhooks.map((configuration) => ({
    ...configuration,
    metadata: { name: `${objectPrefix}${configuration.metadata.name}` },
    webhooks: configuration.webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { url: webhookUrl(webhook, layout), caBundle: caData.toString("base64") },
      ...(webhook.rules.some((rule) => rule.resources.includes("pods"))
        ? {
            objectSelector: {
              matchExpressions: [{ key: "leaderworkerset.sigs.k8s.io/name", operator: "Exists" }],
            },
          }
        : {}),
    })),
  }));
}

function webhookUrl(webhook: Webhook, layout: ClusterLayout): string {
  const service = webhook.clientConfig["service"] as { readonly path: string };
  return `https://${layout.address}:${layout.ports.leaderWorkerSetWebhook}${service.path}`;
}

/** Applies the CRDs and waits until the API server serves them. */
export async function installDefinitions(
  client: KubeClient,
  { crds }: LeaderWorkerSetManifests,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    crds.map(async (crd) => {
      await client.apply(crdType, crd, { fieldManager, signal });
      await untilSucceeds(async () => {
        const { status } = await client.get(crdType, { name: crd.metadata.name }, { signal });
        const established = status?.conditions?.find((condition) => condition.type === "Established");
        if (established?.status !== "True") {
          throw new Error(`${crd.metadata.name} is not established`);
        }
      }, signal);
    }),
  );
}

/** Registers the webhooks, once the controller answers them: earlier they would refuse what they guard. */
export async function installWebhooks(
  client: KubeClient,
  manifests: LeaderWorkerSetManifests,
  layout: ClusterLayout,
  signal: AbortSignal,
): Promise<void> {
  const caData = await readFile(layout.pki.caFile);
  const configurations = localWebhooks(manifests.webhooks, layout, caData);
  // Webhooks answer a GET, which carries no review, with 200 and an error inside; unregistered paths with 404.
  for (const webhook of manifests.webhooks.flatMap((configuration) => configuration.webhooks)) {
    await untilAnswers(webhookUrl(webhook, layout), layout.pki.caFile, signal);
  }
  for (const configuration of configurations) {
    const type = webhookTypes.find((candidate) => candidate.kind === configuration.kind);
    if (type === undefined) {
      throw new TypeError(`unexpected kind ${configuration.kind} among the webhooks`);
    }
    await client.apply(type, configuration, { fieldManager, signal });
  }
}

/** Removes the webhooks, so that nothing calls a controller that is about to go. */
export async function removeWebhooks(
  client: KubeClient,
  { webhooks }: LeaderWorkerSetManifests,
): Promise<void> {
  for (const configuration of webhooks) {
    const type = webhookTypes.find((candidate) => candidate.kind === configuration.kind);
    if (type !== undefined) {
      await client.delete(type, { name: `${objectPrefix}${configuration.metadata.name}` });
    }
  }
}

/** Removes the CRDs with their objects; returns when the API server no longer serves them. */
export async function removeDefinitions(
  client: KubeClient,
  { crds }: LeaderWorkerSetManifests,
  signal: AbortSignal,
): Promise<void> {
  for (const { metadata } of crds) {
    await client.delete(crdType, { name: metadata.name });
  }
  for (const { metadata } of crds) {
    await untilSucceeds(async () => {
      const gone = await client
        .get(crdType, { name: metadata.name }, { signal })
        .then(() => false, isNotFound);
      if (!gone) {
        throw new Error(`${metadata.name} is still being removed`);
      }
    }, signal);
  }
}
