// The command line of each program of a cluster. Pure.

import { join } from "node:path";

import type { BuiltPrograms } from "../build/build.ts";
import type { ClusterLayout, ClusterUser } from "./layout.ts";
import type { ClusterProcess } from "../options.ts";

/** Requests a second that the programs allow themselves: high enough that they are never what a benchmark measures. */
const clientRate = { qps: 2000, burst: 4000 };

function controlPlane(programs: BuiltPrograms): string {
  return join(programs["control-plane"], "control-plane");
}

/**
 * kubectl with the administrator's kubeconfig. It caches what an address serves, for its user's whole home; the
 * next cluster at this address may serve something else, so that the cache is the cluster's own.
 */
export function kubectlCommand(programs: BuiltPrograms, layout: ClusterLayout): readonly string[] {
  return [
    controlPlane(programs),
    "kubectl",
    `--kubeconfig=${layout.kubeconfigs.admin}`,
    `--cache-dir=${layout.files.kubectlCache}`,
  ];
}

export function etcd(programs: BuiltPrograms, layout: ClusterLayout): ClusterProcess {
  const client = `http://${layout.address}:${layout.ports.etcdClient}`;
  const peer = `http://${layout.address}:${layout.ports.etcdPeer}`;
  return {
    name: "etcd",
    command: [
      controlPlane(programs),
      "etcd",
      "--name=local",
      `--data-dir=${layout.files.etcdData}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=local=${peer}`,
      // What a crash of the machine would lose is the whole cluster's life anyway.
      "--unsafe-no-fsync=true",
      // Room for 10,000 pods and their history.
      `--quota-backend-bytes=${4 * 2 ** 30}`,
      "--logger=zap",
      "--log-level=warn",
    ],
  };
}

export function apiServer(programs: BuiltPrograms, layout: ClusterLayout, audit: boolean): ClusterProcess {
  return {
    name: "kube-apiserver",
    command: [
      controlPlane(programs),
      "kube-apiserver",
      `--etcd-servers=http://${layout.address}:${layout.ports.etcdClient}`,
      `--bind-address=${layout.address}`,
      // Without it the server looks for a network interface, and a machine without one has no cluster.
      `--advertise-address=${layout.address}`,
      `--secure-port=${layout.ports.apiServer}`,
      `--cert-dir=${layout.pki.directory}`,
      `--tls-cert-file=${layout.pki.certFile}`,
      `--tls-private-key-file=${layout.pki.keyFile}`,
      // Published for extension servers; without it the controller manager complains once a minute.
      `--client-ca-file=${layout.pki.caFile}`,
      `--token-auth-file=${layout.files.tokens}`,
      "--authorization-mode=RBAC",
      "--allow-privileged=true",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${layout.pki.serviceAccountPublicFile}`,
      `--service-account-signing-key-file=${layout.pki.serviceAccountKeyFile}`,
      // EndpointSlices refuse loopback addresses.
      "--endpoint-reconciler-type=none",
      "--profiling=false",
      ...(audit
        ? [
            `--audit-policy-file=${layout.files.auditPolicy}`,
            `--audit-log-path=${layout.files.auditLog}`,
            // Megabytes. Zero would mean 100 and a rotation in the middle of a measurement.
            "--audit-log-maxsize=100000",
            "--audit-log-mode=batch",
          ]
        : []),
    ],
    environment: proxyEnvironment(layout.proxyUrl),
    readyUrl: `${layout.server}/readyz`,
  };
}

/**
 * For all but loopback addresses, which Go never asks a proxy for: of what an API server calls, the webhooks behind
 * Services are left. What this machine's own environment says of proxies would lead them elsewhere.
 */
function proxyEnvironment(url: string): Readonly<Record<string, string>> {
  return { HTTPS_PROXY: url, NO_PROXY: "", no_proxy: "" };
}

function kubeconfigFlags(layout: ClusterLayout, user: ClusterUser): readonly string[] {
  return ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map(
    (flag) => `--${flag}=${layout.kubeconfigs[user]}`,
  );
}

function servingFlags(layout: ClusterLayout, port: number): readonly string[] {
  return [
    `--bind-address=${layout.address}`,
    `--secure-port=${port}`,
    `--tls-cert-file=${layout.pki.certFile}`,
    `--tls-private-key-file=${layout.pki.keyFile}`,
  ];
}

export function controllerManager(programs: BuiltPrograms, layout: ClusterLayout): ClusterProcess {
  return {
    name: "kube-controller-manager",
    command: [
      controlPlane(programs),
      "kube-controller-manager",
      ...kubeconfigFlags(layout, "controller-manager"),
      ...servingFlags(layout, layout.ports.controllerManager),
      "--leader-elect=false",
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${layout.pki.serviceAccountKeyFile}`,
      `--root-ca-file=${layout.pki.caFile}`,
      // The endpoint controllers would warn for ever that pods have loopback addresses.
      "--controllers=*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller",
      `--kube-api-qps=${clientRate.qps}`,
      `--kube-api-burst=${clientRate.burst}`,
      "--profiling=false",
    ],
    readyUrl: `https://${layout.address}:${layout.ports.controllerManager}/healthz`,
  };
}

export function scheduler(programs: BuiltPrograms, layout: ClusterLayout): ClusterProcess {
  return {
    name: "kube-scheduler",
    command: [
      controlPlane(programs),
      "kube-scheduler",
      `--config=${layout.files.schedulerConfiguration}`,
      ...kubeconfigFlags(layout, "scheduler").slice(1),
      ...servingFlags(layout, layout.ports.scheduler),
    ],
    readyUrl: `https://${layout.address}:${layout.ports.scheduler}/readyz`,
  };
}

/** The `clientConnection` of the scheduler's configuration file. */
export const schedulerClientRate = clientRate;

export function kwok(programs: BuiltPrograms, layout: ClusterLayout): ClusterProcess {
  return {
    name: "kwok",
    command: [
      join(programs.kwok, "kwok"),
      `--kubeconfig=${layout.kubeconfigs.kwok}`,
      `--config=${layout.files.kwokConfiguration}`,
      "--manage-all-nodes=false",
      "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
      `--cidr=${layout.podCidr}`,
      `--node-ip=${layout.address}`,
      "--node-lease-duration-seconds=40",
      `--server-address=${layout.address}:${layout.ports.kwok}`,
    ],
    // A configuration that the user keeps in ~/.kwok is none of this cluster's.
    environment: { KWOK_WORKDIR: join(layout.stateDir, "kwok") },
    readyUrl: `http://${layout.address}:${layout.ports.kwok}/healthz`,
  };
}

export function leaderWorkerSet(programs: BuiltPrograms, layout: ClusterLayout): ClusterProcess {
  return {
    name: "leader-worker-set",
    command: [
      join(programs["leader-worker-set"], "leader-worker-set"),
      `--kubeconfig=${layout.kubeconfigs["leader-worker-set"]}`,
      `--config=${layout.files.leaderWorkerSetConfiguration}`,
      "--zap-devel=false",
    ],
    readyUrl: `http://${layout.address}:${layout.ports.leaderWorkerSetHealth}/readyz`,
  };
}
