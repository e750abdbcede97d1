// Wires the simulated kubelets, engines and proxy to one API server.
import { randomUUID } from "node:crypto";
import type { Clock } from "../engine/clock.ts";
import { Rendezvous } from "../engine/rendezvous.ts";
import type { ReadData } from "../kubelet/environment.ts";
import { FaultLedger } from "../kubelet/faults.ts";
import { Kubelet } from "../kubelet/kubelet.ts";
import { configMapType, nodeType, podType, secretType } from "../kubelet/pod.ts";
import { tokenRequester } from "../kubelet/programs/account-token.ts";
import type { ProgramHost } from "../kubelet/programs/program.ts";
import { Runtime, type Speed } from "../kubelet/runtime.ts";
import { resolvePodName } from "../proxy/names.ts";
import { ServiceProxy } from "../proxy/proxy.ts";
import { backendsOf } from "../proxy/routing.ts";
import { type Service, serviceType } from "../proxy/service.ts";
import {
  type KubeClient,
  type KubeObject,
  type ResourceType,
  isNotFound,
  objectKey,
  refOf,
} from "@llama-operator/kube-runtime/client";
import { follow, type Follower } from "./follow.ts";

/** At which the proxy listens. */
export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
}

export type AgentOptions = Speed & {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Whether a pod's address belongs to this cluster: engines listen there. */
  readonly ownsAddress: (address: string) => boolean;
  readonly proxyAt: ProxyAddress;
  readonly loadBytesPerSecond: number;
  readonly logDirectory: string | undefined;
  /** Images that are programs of this machine, and what those need. */
  readonly programs: Omit<ProgramHost, "requestToken">;
  /** One line about something that went wrong and is tried again. */
  readonly onError: (error: unknown) => void;
};

export interface Agent {
  /** Every pod, node and Service that exists is known. */
  readonly synced: Promise<void>;
  /** Ends every engine and connection. */
  stop(): Promise<void>;
}

export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { client, clock, onError } = options;
  const stopping = new AbortController();
  const services = new Map<string, Service>();
  const runtime: Runtime = new Runtime({
    ...options,
    unixSeconds: () => Math.floor(Date.now() / 1000),
    newId: randomUUID,
    rendezvous: new Rendezvous(),
    faults: new FaultLedger(),
    readData: dataReader(client, stopping.signal),
    programs: { ...options.programs, requestToken: tokenRequester(client, stopping.signal) },
    nodeOf: (pod) => kubelet.nodeOf(pod),
    resolve: (pod, name) => resolvePodName(name, pod.metadata.namespace ?? "default", kubelet.pods, services),
  });
  const { ownsAddress, logDirectory } = options;
  const kubelet: Kubelet = new Kubelet({ client, runtime, ownsAddress, logDirectory, onError });

  let pending = 3;
  const synced = Promise.withResolvers<void>();
  const syncedOnce = (): (() => void) => {
    let done = false;
    return () => {
      if (!done) pending -= 1;
      done = true;
      if (pending === 0) synced.resolve();
    };
  };
  const proxy = new ServiceProxy({
    backends: (service, port) => backendsOf(service, port, services, kubelet.pods),
    ready: () => pending === 0,
  });
  await proxy.listen(options.proxyAt.port, options.proxyAt.host);

  const { signal } = stopping;
  const failed = (error: unknown): void => onError(error);
  const keepUpWith = async <T extends KubeObject>(
    type: ResourceType<T>,
    handlers: Pick<Follower<T>, "set" | "remove">,
  ): Promise<void> => follow(client, type, { ...handlers, synced: syncedOnce(), failed }, clock, signal);
  const following = [
    keepUpWith(nodeType, {
      set: (node) => kubelet.setNode(node),
      remove: (node) => kubelet.removeNode(node),
    }),
    keepUpWith(podType, {
      set: (pod) => kubelet.setPod(pod),
      remove: (pod) => kubelet.removePod(pod),
    }),
    keepUpWith(serviceType, {
      set: (service) => services.set(objectKey(refOf(service)), service),
      remove: (service) => services.delete(objectKey(refOf(service))),
    }),
  ];
  return {
    synced: synced.promise,
    stop: async () => {
      stopping.abort();
      await Promise.all([...following, kubelet.stop(), proxy.close()]);
    },
  };
}

/** Secrets are read when a container needs them, and never watched or kept. */
function dataReader(client: KubeClient, signal: AbortSignal): ReadData {
  return async (kind, namespace, name) => {
    try {
      const type = kind === "Secret" ? secretType : configMapType;
      const { data = {} } = await client.get(type, { namespace, name }, { signal });
      if (kind === "ConfigMap") return data;
      return Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]),
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
}
