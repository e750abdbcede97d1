// From a Service to the address of one of its pods: what kube-proxy does, for ready pods that are not ending.
import type { Container, Pod } from "../kubelet/pod.ts";
import { matchesLabels } from "@llama-operator/llama/api";
import { isReady, type ServiceName } from "./names.ts";
import type { Service } from "./service.ts";

export interface Backend {
  readonly address: string;
  readonly port: number;
  readonly pod: string;
}

/** Why there is no pod to talk to, and the status a proxy answers with. */
export interface NoBackend {
  readonly status: 502 | 503;
  readonly message: string;
}

/** All backends of a Service port, in a stable order. */
export function backendsOf(
  { namespace, name }: ServiceName,
  port: number,
  services: { get(key: string): Service | undefined },
  pods: Iterable<Pod>,
): readonly Backend[] | NoBackend {
  const label = `${namespace}/${name}`;
  const service = services.get(label);
  if (service === undefined) {
    return { status: 502, message: `no such Service: ${label} (in a cluster the name would not resolve)` };
  }
  const servicePort = service.spec?.ports?.find((candidate) => candidate.port === port);
  if (servicePort === undefined) {
    return {
      status: 502,
      message: `Service ${label} has no port ${port} (in a cluster: connection timed out)`,
    };
  }
  const selector = service.spec?.selector ?? {};
  if (Object.keys(selector).length === 0) return { status: 503, message: `Service ${label} selects no pods` };
  const backends: Backend[] = [];
  for (const pod of pods) {
    const { metadata, status } = pod;
    if (metadata.namespace !== namespace || status?.podIP === undefined || !isReady(pod)) continue;
    if (!matchesLabels(metadata.labels, selector)) continue;
    const target = targetPort(servicePort.targetPort ?? port, pod.spec?.containers ?? []);
    if (target !== undefined) backends.push({ address: status.podIP, port: target, pod: metadata.name });
  }
  if (backends.length > 0) return backends.sort((a, b) => a.pod.localeCompare(b.pod));
  return { status: 503, message: `Service ${label} has no ready pod (in a cluster: connection refused)` };
}

function targetPort(target: number | string, containers: readonly Container[]): number | undefined {
  if (typeof target === "number") return target;
  const named = containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === target);
  return named?.containerPort ?? (/^\d+$/.test(target) ? Number(target) : undefined);
}
