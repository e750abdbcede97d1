// Shows the two waits at the start: the programs being built, once, and the cluster becoming ready.
import type { ClusterEvent } from "../cluster/options.ts";
import { duration } from "./screen.ts";
import type { Screen } from "./screen.ts";

/** The listener of startCluster. Its headings are printed as each part begins. */
export function showClusterProgress(screen: Screen): (event: ClusterEvent) => void {
  let part: "programs" | "cluster" | undefined;
  let built = 0;
  const begin = (next: "programs" | "cluster"): void => {
    if (part === next) return;
    if (part === undefined) screen.heading("1/6", "The local cluster's programs");
    if (next === "cluster") {
      if (built === 0) screen.line("built before; found in the cache");
      screen.heading("2/6", "A Kubernetes cluster on this machine");
    }
    part = next;
  };
  const ready: string[] = [];
  return (event) => {
    switch (event.kind) {
      case "waiting":
        begin("programs");
        screen.line(`another process (${event.holderPid}) is building them; waiting for it`);
        return;
      case "building":
        begin("programs");
        screen.redraw([buildingLine(event, screen)]);
        return;
      case "built":
        built += 1;
        screen.clear();
        screen.line(`${event.program} built in ${duration(event.elapsedSeconds)}`);
        return;
      case "ready":
        begin("cluster");
        ready.push(`ready: ${event.program} after ${duration(event.elapsedSeconds)}`);
        screen.redraw(ready);
    }
  };
}

/** Without a live region the elapsed time would make every second a new line. */
function buildingLine(event: Extract<ClusterEvent, { readonly position: number }>, screen: Screen): string {
  const { program, position, total, elapsedSeconds } = event;
  const left = total - position;
  const counted = `${position} of ${total}${left === 0 ? "" : `, ${left} more after it`}`;
  const elapsed = screen.live ? `, ${duration(elapsedSeconds)}` : "";
  return `building ${program} from its Go module (${counted})${elapsed}`;
}
