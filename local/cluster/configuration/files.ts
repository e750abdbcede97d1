// The files that the programs of a cluster read: kubeconfigs, tokens, policies, stages. The texts are pure;
// writeConfiguration puts them into the state folder, readable by their owner alone.

import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { stringify } from "yaml";

import { schedulerClientRate } from "./commands.ts";
import { type ClusterLayout, type ClusterUser, clusterUsers } from "./layout.ts";

export type Scheduling = "pack" | "spread";
export type PodLife = "simulated-kubelet" | "instant";

export type ClusterTokens = Readonly<Record<ClusterUser, string>>;

/** Names and groups as the API server knows them; the first two are what its default roles are bound to. */
const identities: Readonly<Record<ClusterUser, { readonly user: string; readonly group: string }>> = {
  "controller-manager": { user: "system:kube-controller-manager", group: "system:authenticated" },
  scheduler: { user: "system:kube-scheduler", group: "system:authenticated" },
  admin: { user: "admin", group: "system:masters" },
  agent: { user: "local-agent", group: "system:masters" },
  kwok: { user: "kwok", group: "system:masters" },
  "leader-worker-set": { user: "leader-worker-set", group: "system:masters" },
};

export function newTokens(random: (size: number) => Buffer = randomBytes): ClusterTokens {
  const token = () => random(24).toString("base64url");
  return {
    admin: token(),
    agent: token(),
    "controller-manager": token(),
    scheduler: token(),
    kwok: token(),
    "leader-worker-set": token(),
  };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file */
export function tokenFile(tokens: ClusterTokens): string {
  return clusterUsers
    .map(
      (user) =>
        `${tokens[user]},${identities[user].user},${identities[user].user},"${identities[user].group}"\n`,
    )
    .join("");
}

export function kubeconfig(layout: ClusterLayout, caData: Buffer, user: ClusterUser, token: string): string {
  const context = user === "admin" ? `llama-operator-${layout.name}` : user;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: context,
        cluster: { server: layout.server, "certificate-authority-data": caData.toString("base64") },
      },
    ],
    users: [{ name: context, user: { token } }],
    contexts: [{ name: context, context: { cluster: context, user: context, namespace: "default" } }],
    "current-context": context,
  });
}

/** Every request once, when it ends: who, with which user agent, did what to which object, and the status. */
export function auditPolicy(): string {
  return stringify({
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived", "ResponseStarted"],
    rules: [{ level: "Metadata" }],
  });
}

/**
 * "pack" scores nodes by how many of their GPUs are taken, and lets that outweigh the spreading of a
 * workload's replicas over nodes (https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/).
 */
export function schedulerConfiguration(layout: ClusterLayout, scheduling: Scheduling): string {
  const packing = {
    plugins: { multiPoint: { enabled: [{ name: "NodeResourcesFit", weight: 10 }] } },
    pluginConfig: [
      {
        name: "NodeResourcesFit",
        args: {
          scoringStrategy: { type: "MostAllocated", resources: [{ name: "nvidia.com/gpu", weight: 1 }] },
        },
      },
    ],
  };
  return stringify({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig: layout.kubeconfigs.scheduler, ...schedulerClientRate },
    profiles: [{ schedulerName: "default-scheduler", ...(scheduling === "pack" ? packing : {}) }],
  });
}

export function leaderWorkerSetConfiguration(layout: ClusterLayout): string {
  return stringify({
    apiVersion: "config.lws.x-k8s.io/v1alpha1",
    kind: "Configuration",
    leaderElection: { leaderElect: false },
    internalCertManagement: { enable: false },
    webhook: {
      host: layout.address,
      port: layout.ports.leaderWorkerSetWebhook,
      certDir: layout.pki.directory,
    },
    metrics: { bindAddress: "0" },
    health: { healthProbeBindAddress: `${layout.address}:${layout.ports.leaderWorkerSetHealth}` },
    clientConnection: { qps: schedulerClientRate.qps, burst: schedulerClientRate.burst },
  });
}

/** How many pods, and nodes, KWOK works on at a time; its own 4 make it the slowest part of a large cluster. */
const kwokParallelism = 32;

/** KWOK's options, and its stages for nodes and for the chosen life of pods, as one file of several documents. */
export async function kwokConfiguration(pods: PodLife): Promise<string> {
  const options = stringify({
    apiVersion: "config.kwok.x-k8s.io/v1alpha1",
    kind: "KwokConfiguration",
    options: {
      podPlayStageParallelism: kwokParallelism,
      nodePlayStageParallelism: kwokParallelism,
      // With one option given, KWOK leaves these at zero.
      nodeLeaseParallelism: kwokParallelism,
      podsOnNodeSyncParallelism: kwokParallelism,
    },
  });
  const texts = await Promise.all(
    ["node", pods === "instant" ? "pod-instant" : "pod-simulated-kubelet"].map((name) =>
      readFile(new URL(`../stages/${name}.yaml`, import.meta.url), "utf8"),
    ),
  );
  return [options, ...texts].join("---\n");
}

export interface ConfigurationChoices {
  readonly scheduling: Scheduling;
  readonly pods: PodLife;
}

/** Writes every file but the keys, which must be there: the kubeconfigs carry the authority's certificate. */
export async function writeConfiguration(
  layout: ClusterLayout,
  choices: ConfigurationChoices,
  tokens: ClusterTokens = newTokens(),
): Promise<void> {
  const caData = await readFile(layout.pki.caFile);
  const texts: readonly (readonly [string, string])[] = [
    [layout.files.tokens, tokenFile(tokens)],
    [layout.files.auditPolicy, auditPolicy()],
    [layout.files.schedulerConfiguration, schedulerConfiguration(layout, choices.scheduling)],
    [layout.files.leaderWorkerSetConfiguration, leaderWorkerSetConfiguration(layout)],
    [layout.files.kwokConfiguration, await kwokConfiguration(choices.pods)],
    ...clusterUsers.map(
      (user) => [layout.kubeconfigs[user], kubeconfig(layout, caData, user, tokens[user])] as const,
    ),
  ];
  for (const [path, text] of texts) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, text, { mode: 0o600 });
  }
}
