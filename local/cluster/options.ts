// What a caller says to start a local cluster and what it gets: the interface that the demo, the tests,
// the benchmarks and `llama-operator local` share.

import type { BuildEvent } from "./build/build.ts";

export interface ClusterOptions {
  /** Names the cluster and its state folder: `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`, at most 40 characters. Default "default". */
  readonly name?: string;
  /** Default: `${XDG_STATE_HOME:-~/.local/state}/llama-operator/<name>`. Created; gone after an orderly stop. */
  readonly stateDir?: string;
  /** True: the cluster outlives this process until stopCluster(name). False: it ends with this process, however that ends. */
  readonly detached?: boolean;
  /** Writes an audit log of every request, at Metadata level, with user and user agent. For benchmarks. */
  readonly audit?: boolean;
  /** "pack" fills nodes with GPUs first, as GPU clusters do; "spread" is the default scoring of Kubernetes. */
  readonly scheduling?: "pack" | "spread";
  /**
   * "simulated-kubelet": KWOK gives a scheduled pod its address and phase Running, unready; everything after
   * that, its end included, is the simulated kubelet's. "instant": KWOK makes pods Ready and ends them at once.
   */
  readonly pods?: "simulated-kubelet" | "instant";
  /** The LeaderWorkerSet controller with its CRDs and webhooks. Default true; can be changed while the cluster runs. */
  readonly leaderWorkerSet?: boolean;
  /** Further processes that live and end with the cluster: the agent. Started once the API server answers. */
  readonly processes?: (facts: ClusterFacts) => readonly ClusterProcess[];
  /** How long the whole start may take, built programs given. Default 90. */
  readonly startTimeoutSeconds?: number;
  readonly onEvent?: (event: ClusterEvent) => void;
  /** Aborting gives the start up and stops what has been started. */
  readonly signal?: AbortSignal;
}

/** A process run under the cluster's supervisor. */
export interface ClusterProcess {
  /** Also the name of its log. */
  readonly name: string;
  readonly command: readonly string[];
  /** Added to this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Answers 2xx over HTTP once the process is ready; the start of the cluster waits for it. */
  readonly readyUrl?: string;
}

/** What a process beside the cluster needs to know of it. */
export interface ClusterFacts {
  readonly name: string;
  readonly stateDir: string;
  /** The first two parts of the cluster's own loopback addresses, such as "127.3". */
  readonly addressBlock: string;
  /** All pod addresses, the whole block: "127.3.0.0/16". */
  readonly podCidr: string;
  /** Of a cluster administrator; readable by its owner alone. */
  readonly kubeconfigPath: string;
  /** The same rights under the user name `local-agent`, so that an audit log tells the agent apart. */
  readonly agentKubeconfigPath: string;
  /** `https://ADDRESS:PORT` of the API server. */
  readonly server: string;
  readonly caFile: string;
  /**
   * Where the agent, if it runs, is an HTTP proxy that stands for kube-proxy and DNS. Through it the API server reaches
   * webhooks that are behind Services, and people `http://NAME.NAMESPACE.svc`.
   */
  readonly proxyUrl: string;
  readonly ports: ClusterPorts;
  readonly auditLogPath?: string;
}

/** TCP ports at the cluster's own address. */
export interface ClusterPorts {
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
  readonly kwok: number;
  readonly leaderWorkerSetHealth: number;
  readonly leaderWorkerSetWebhook: number;
  readonly serviceProxy: number;
}

export type ClusterEvent =
  | BuildEvent
  | { readonly kind: "ready"; readonly program: string; readonly elapsedSeconds: number };

export interface ProcessStatus {
  readonly name: string;
  readonly pid?: number;
  /** "restarting": between an end by itself and the next start. */
  readonly state: "running" | "restarting" | "stopped";
  /** Since it was last stable for a minute. */
  readonly restarts: number;
  readonly lastEnd?: string;
}

export interface ClusterStatus {
  readonly facts: ClusterFacts;
  readonly supervisorPid: number;
  readonly processes: readonly ProcessStatus[];
}

/** A running cluster. */
export interface LocalCluster extends ClusterFacts {
  /** The command line of the cluster's own kubectl, to which arguments are added; its kubeconfig is set. */
  readonly kubectl: readonly string[];
  status(): Promise<ClusterStatus>;
  /** Runs one more process under the cluster's supervisor and waits for its readyUrl. Also starts a stopped one again. */
  startProcess(process: ClusterProcess): Promise<void>;
  /** SIGTERM, and SIGKILL after the grace; returns when it has ended. */
  stopProcess(name: string): Promise<void>;
  /** Stops the API server and starts it again on the same address, as an upgrade or a crash would. */
  restartApiServer(): Promise<void>;
  installLeaderWorkerSet(): Promise<void>;
  /** Also removes the CRDs, and with them every LeaderWorkerSet. */
  removeLeaderWorkerSet(): Promise<void>;
  /** The last lines of each program's log, for error messages. */
  logsTail(lines?: number): Promise<string>;
  /** Ends every process in reverse order and removes the state folder, unless it is to be kept. */
  stop(options?: { readonly keepState?: boolean }): Promise<void>;
}
