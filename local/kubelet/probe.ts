// Probes, asked for real: an HTTP request or a TCP connection to the pod's address. Exec and gRPC probes have
// nothing to run in and count as success.
import { request } from "node:http";
import { connect } from "node:net";
import type { Clock } from "../engine/clock.ts";
import type { Container } from "./pod.ts";

export type Probe = NonNullable<Container["livenessProbe"]>;

/** A port of the container by number or by its name there. */
export function portNumber(container: Container, port: number | string): number | undefined {
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  return Number.isInteger(number) ? number : undefined;
}

/** One attempt. HTTPS is asked as plain HTTP would be refused: it fails. */
export async function attemptProbe(probe: Probe, container: Container, address: string): Promise<boolean> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const { httpGet, tcpSocket } = probe;
  if (httpGet !== undefined) {
    const port = portNumber(container, httpGet.port);
    if (port === undefined || httpGet.scheme === "HTTPS") return false;
    const headers = Object.fromEntries((httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value]));
    return httpAnswers(httpGet.host ?? address, port, httpGet.path ?? "/", headers, timeoutMs);
  }
  if (tcpSocket !== undefined) {
    const port = portNumber(container, tcpSocket.port);
    return port !== undefined && (await tcpAnswers(tcpSocket.host ?? address, port, timeoutMs));
  }
  return true;
}

/** 200 to 399, as a kubelet counts, over a connection of its own. */
export function httpAnswers(
  host: string,
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = request({ host, port, path, headers, agent: false, signal }, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 400);
    });
    outgoing.on("error", () => resolve(false));
    outgoing.end();
  });
}

function tcpAnswers(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}

export interface ProberOptions {
  readonly container: Container;
  readonly address: string;
  readonly clock: Clock;
  /** Delays and periods pass this many times faster; timeouts do not. */
  readonly speedup: number;
  readonly onStarted: () => void;
  readonly onReady: (ready: boolean) => void;
  /** A probe failed for good: the container is to be restarted. */
  readonly onUnhealthy: (probe: Probe) => void;
}

/**
 * Probes one running container until aborted: the startup probe alone at first, then readiness and liveness
 * side by side, each with its thresholds, as a kubelet does.
 */
export async function probeContainer(options: ProberOptions, signal: AbortSignal): Promise<void> {
  const { container, onStarted, onReady, onUnhealthy } = options;
  const startedAt = options.clock.now();
  const { startupProbe, readinessProbe, livenessProbe } = container;
  if (startupProbe !== undefined) {
    const outcome = await firstVerdict(startupProbe, options, startedAt, signal);
    if (outcome === undefined) return;
    if (!outcome) {
      onUnhealthy(startupProbe);
      return;
    }
  }
  onStarted();
  const readiness = async (): Promise<void> => {
    if (readinessProbe === undefined) {
      onReady(true);
      return;
    }
    let ready = false;
    for await (const verdict of verdicts(readinessProbe, options, startedAt, signal)) {
      if (verdict !== ready) onReady((ready = verdict));
    }
  };
  const liveness = async (): Promise<void> => {
    if (livenessProbe === undefined) return;
    for await (const verdict of verdicts(livenessProbe, options, startedAt, signal)) {
      if (verdict) continue;
      onUnhealthy(livenessProbe);
      return;
    }
  };
  await Promise.all([readiness(), liveness()]);
}

async function firstVerdict(
  probe: Probe,
  options: ProberOptions,
  startedAt: number,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  for await (const verdict of verdicts(probe, options, startedAt, signal)) return verdict;
  return undefined;
}

/** What the probe says whenever enough attempts in a row agree: every period, once the thresholds are met. */
async function* verdicts(
  probe: Probe,
  { container, address, clock, speedup }: ProberOptions,
  startedAt: number,
  signal: AbortSignal,
): AsyncGenerator<boolean, void, undefined> {
  const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = probe;
  const pause = (ms: number): Promise<boolean> =>
    clock.sleep(ms, signal).then(
      () => true,
      () => false,
    );
  const delayMs = (initialDelaySeconds * 1000) / speedup - (clock.now() - startedAt);
  if (!(await pause(delayMs))) return;
  let last: boolean | undefined;
  let run = 0;
  while (!signal.aborted) {
    const healthy = await attemptProbe(probe, container, address);
    if (signal.aborted) return;
    run = healthy === last ? run + 1 : 1;
    last = healthy;
    if (run >= (healthy ? successThreshold : failureThreshold)) yield healthy;
    if (!(await pause((periodSeconds * 1000) / speedup))) return;
  }
}
