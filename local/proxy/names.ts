// Names inside a cluster: which Service or pod a host name means, as CoreDNS would answer.
import { isTerminating } from "@llama-operator/kube-runtime/client";
import type { Pod } from "../kubelet/pod.ts";
import type { Service } from "./service.ts";

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** `svc.ns.svc`, `svc.ns.svc.cluster.local`, with or without a final dot; anything else is no name of a Service. */
export function parseServiceHost(host: string): ServiceName | undefined {
  const [, name, namespace] = serviceHost.exec(host) ?? [];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

const serviceHost =
  /^([a-z](?:[-a-z0-9]*[a-z0-9])?)\.([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.svc(?:\.cluster\.local)?\.?$/i;

/**
 * The address of a pod by `hostname.subdomain[.namespace[.svc[.cluster.local]]]`, seen from a namespace: needs the
 * headless Service `subdomain`, and a ready pod unless that Service publishes others. An address is itself.
 */
export function resolvePodName(
  host: string,
  fromNamespace: string,
  pods: Iterable<Pod>,
  services: { get(key: string): Service | undefined },
): string | undefined {
  if (/^\d+(\.\d+){3}$/.test(host)) return host;
  const labels = host
    .replace(/\.$/, "")
    .replace(/\.cluster\.local$/, "")
    .replace(/\.svc$/, "")
    .split(".");
  const [hostname, subdomain, namespace = fromNamespace] = labels;
  if (hostname === undefined || subdomain === undefined || labels.length > 3) return undefined;
  const service = services.get(`${namespace}/${subdomain}`);
  if (service?.spec?.clusterIP !== "None") return undefined;
  for (const pod of pods) {
    const { metadata, spec, status } = pod;
    if (metadata.namespace !== namespace || spec?.subdomain !== subdomain) continue;
    if ((spec.hostname ?? metadata.name) !== hostname) continue;
    if (service.spec.publishNotReadyAddresses === true || isReady(pod)) return status?.podIP;
  }
  return undefined;
}

export function isReady({ metadata, status }: Pod): boolean {
  if (isTerminating({ metadata })) return false;
  return status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
}
