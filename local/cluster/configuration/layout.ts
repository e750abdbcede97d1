// Where each thing of one cluster lies: files in its state folder, addresses in its block. Pure.
//
// A block 127.N.0.0/16 is divided so that no two clusters and no two things share an address:
//   127.N.0.1 …       pods, given out by KWOK from below
//   127.N.224.1 …     nodes, by index
//   127.N.255.254     the control plane

import { join } from "node:path";

import type { ClusterFacts, ClusterPorts } from "../options.ts";

/** Users of the API server, each with its own token, so that the audit log tells them apart. */
export const clusterUsers = [
  "admin",
  "agent",
  "controller-manager",
  "scheduler",
  "kwok",
  "leader-worker-set",
] as const;
export type ClusterUser = (typeof clusterUsers)[number];

export interface ClusterLayout {
  readonly name: string;
  readonly stateDir: string;
  readonly addressBlock: string;
  /** The control plane's address. */
  readonly address: string;
  readonly ports: ClusterPorts;
  readonly podCidr: string;
  readonly server: string;
  readonly proxyUrl: string;
  readonly pki: {
    readonly directory: string;
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
    readonly serviceAccountKeyFile: string;
    readonly serviceAccountPublicFile: string;
  };
  readonly files: {
    readonly record: string;
    readonly tokens: string;
    readonly auditPolicy: string;
    readonly auditLog: string;
    readonly schedulerConfiguration: string;
    readonly kwokConfiguration: string;
    readonly leaderWorkerSetConfiguration: string;
    readonly etcdData: string;
    readonly logs: string;
    readonly kubectlCache: string;
  };
  readonly kubeconfigs: Readonly<Record<ClusterUser, string>>;
}

/**
 * Outside 32768 and above, where the kernel takes the ports of outgoing connections, and away from the
 * usual ones, which a Kubernetes of this machine may hold on all addresses.
 */
export const preferredPorts: ClusterPorts = {
  etcdClient: 26379,
  etcdPeer: 26380,
  apiServer: 26443,
  controllerManager: 26257,
  scheduler: 26259,
  kwok: 26247,
  leaderWorkerSetHealth: 26081,
  leaderWorkerSetWebhook: 26943,
  serviceProxy: 26080,
};

/** The control plane's address in a block: the last one that is no broadcast address. */
export function controlPlaneAddress(addressBlock: string): string {
  return `${addressBlock}.255.254`;
}

/** The address of a node by its index from 0. Nothing listens there; pods report it as their host's. */
export function nodeAddress(addressBlock: string, index: number): string {
  const perThird = 250;
  return `${addressBlock}.${224 + Math.floor(index / perThird)}.${1 + (index % perThird)}`;
}

export function clusterLayout(
  name: string,
  stateDir: string,
  addressBlock: string,
  ports: ClusterPorts,
): ClusterLayout {
  const inPki = (file: string) => join(stateDir, "pki", file);
  const inConfiguration = (file: string) => join(stateDir, "configuration", file);
  const kubeconfig = (user: ClusterUser) =>
    user === "admin" ? join(stateDir, "kubeconfig") : inConfiguration(`${user}.kubeconfig`);
  const address = controlPlaneAddress(addressBlock);
  return {
    name,
    stateDir,
    addressBlock,
    address,
    ports,
    podCidr: `${addressBlock}.0.0/16`,
    server: `https://${address}:${ports.apiServer}`,
    proxyUrl: `http://${address}:${ports.serviceProxy}`,
    pki: {
      directory: join(stateDir, "pki"),
      caFile: inPki("ca.crt"),
      certFile: inPki("tls.crt"),
      keyFile: inPki("tls.key"),
      serviceAccountKeyFile: inPki("service-account.key"),
      serviceAccountPublicFile: inPki("service-account.pub"),
    },
    files: {
      record: join(stateDir, "cluster.json"),
      tokens: inConfiguration("tokens.csv"),
      auditPolicy: inConfiguration("audit-policy.yaml"),
      auditLog: join(stateDir, "audit.log"),
      schedulerConfiguration: inConfiguration("scheduler.yaml"),
      kwokConfiguration: inConfiguration("kwok.yaml"),
      leaderWorkerSetConfiguration: inConfiguration("leader-worker-set.yaml"),
      etcdData: join(stateDir, "etcd"),
      logs: join(stateDir, "logs"),
      kubectlCache: join(stateDir, "kubectl-cache"),
    },
    kubeconfigs: {
      admin: kubeconfig("admin"),
      agent: kubeconfig("agent"),
      "controller-manager": kubeconfig("controller-manager"),
      scheduler: kubeconfig("scheduler"),
      kwok: kubeconfig("kwok"),
      "leader-worker-set": kubeconfig("leader-worker-set"),
    },
  };
}

/** What callers are told of the layout. */
export function clusterFacts(layout: ClusterLayout, audit: boolean): ClusterFacts {
  return {
    name: layout.name,
    stateDir: layout.stateDir,
    addressBlock: layout.addressBlock,
    podCidr: layout.podCidr,
    kubeconfigPath: layout.kubeconfigs.admin,
    agentKubeconfigPath: layout.kubeconfigs.agent,
    server: layout.server,
    caFile: layout.pki.caFile,
    proxyUrl: layout.proxyUrl,
    ports: layout.ports,
    ...(audit ? { auditLogPath: layout.files.auditLog } : {}),
  };
}
