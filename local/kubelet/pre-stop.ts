// What runs before SIGTERM: sleep, an HTTP request, or an exec that only sleeps. Other commands have no container
// to run in and end at once.
import type { Container } from "./pod.ts";
import { httpAnswers, portNumber } from "./probe.ts";
import type { Runtime } from "./runtime.ts";

interface PreStopOptions {
  readonly container: Container;
  readonly address: string;
  readonly runtime: Runtime;
}

/** Runs the hook; ends early when the deadline passes or the container has gone. */
export async function preStop(
  { container, address, runtime }: PreStopOptions,
  deadline: () => number,
  gone: AbortSignal,
): Promise<void> {
  const hook = container.lifecycle?.preStop;
  if (hook === undefined) return;
  const { clock, kubeletSpeedup } = runtime;
  if (hook.httpGet !== undefined) {
    const port = portNumber(container, hook.httpGet.port);
    const timeoutMs = Math.max(1, deadline() - clock.now());
    if (port !== undefined) {
      await httpAnswers(hook.httpGet.host ?? address, port, hook.httpGet.path ?? "/", {}, timeoutMs);
    }
    return;
  }
  const until = clock.now() + (sleepSeconds(hook) * 1000) / kubeletSpeedup;
  while (!gone.aborted) {
    const leftMs = Math.min(until, deadline()) - clock.now();
    if (leftMs <= 0) return;
    await clock.sleep(Math.min(leftMs, 100), gone).catch(() => undefined);
  }
}

type Hook = NonNullable<NonNullable<Container["lifecycle"]>["preStop"]>;

/** `sleep: {seconds}`, `["sleep", "15"]` and `["sh", "-c", "… sleep 15 …"]`. */
function sleepSeconds({ sleep, exec }: Hook): number {
  if (sleep !== undefined) return sleep.seconds;
  const words = (exec?.command ?? []).join(" ");
  return Number(/\bsleep\s+(\d+(?:\.\d+)?)/.exec(words)?.[1] ?? 0);
}
