// Shows a build: one line that renews itself on a terminal, one line per program elsewhere.

import type { BuildEvent } from "./build.ts";

export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Returns the listener to hand to buildPrograms or startCluster. */
export function showBuildProgress(output: ProgressOutput): (event: BuildEvent) => void {
  const terminal = output.isTTY === true;
  let announced = "";
  return (event) => {
    switch (event.kind) {
      case "waiting":
        output.write(
          `Another process (${event.holderPid}) is building the local cluster's programs: waiting for it.\n`,
        );
        return;
      case "building": {
        const left = event.total - event.position;
        const step = `Building ${event.program} (${event.position} of ${event.total}${left > 0 ? `, ${left} more to come` : ""})`;
        if (terminal) {
          output.write(`\r\u001b[K${step} ${duration(event.elapsedSeconds)}`);
        } else if (announced !== step) {
          output.write(`${step}\n`);
        }
        announced = step;
        return;
      }
      case "built":
        output.write(
          `${terminal ? "\r\u001b[K" : ""}Built ${event.program} in ${duration(event.elapsedSeconds)}\n`,
        );
    }
  };
}

/** "9 s", "3 min 41 s". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
