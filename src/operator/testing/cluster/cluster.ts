// A cluster in memory: an API server with the rules of its kinds, and the small controllers that run workloads on it.
import type { Clock } from "@llama-operator/kube-runtime";
import { InMemoryApiServer } from "@llama-operator/kube-runtime/testing";
import { admissionRules, type PodRefusal, type StoredSchema } from "./admission.ts";
import type { ControlLoop } from "./control-loop.ts";
import { deploymentController } from "./deployment-controller.ts";
import { EnginePlan } from "./engine-plan.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { Kubelet } from "./kubelet.ts";
import { leaderWorkerSetController } from "./leader-worker-set-controller.ts";
import { NodeController } from "./node-controller.ts";
import { replicaSetController } from "./replica-set-controller.ts";
import { scheduler } from "./scheduler.ts";
import { statefulSetController } from "./stateful-set-controller.ts";
import { WorkClock } from "./work-clock.ts";

/** What a test can bring to a halt. */
export type ControllerName =
  | "deployment"
  | "replica-set"
  | "stateful-set"
  | "leader-worker-set"
  | "scheduler"
  | "garbage-collector";

export class Cluster {
  readonly server: InMemoryApiServer;
  readonly engines = new EnginePlan();
  readonly nodes: NodeController;
  /** What quotas and policies say to new pods. */
  refusePod: PodRefusal = () => undefined;
  readonly kubelet: Kubelet;
  readonly #clock: WorkClock;
  readonly #loops: Readonly<Record<ControllerName, readonly ControlLoop[]>>;

  /** @param schema of LlamaDeployments, where the cluster's CRD is not that of this release */
  constructor(clock: Clock, random: () => number, schema?: StoredSchema) {
    let uids = 0;
    const server: InMemoryApiServer = new InMemoryApiServer({
      rules: admissionRules(
        () => server,
        (pod) => this.refusePod(pod),
        schema,
      ),
      now: () => clock.now(),
      newUid: () => {
        uids += 1;
        return `00000000-0000-4000-8000-${uids.toString(16).padStart(12, "0")}`;
      },
    });
    this.server = server;
    this.#clock = new WorkClock(clock);
    const parts = { server, clock: this.#clock, random };
    this.nodes = new NodeController(parts);
    this.kubelet = new Kubelet(parts, this.engines, this.nodes);
    this.#loops = {
      deployment: [deploymentController(parts)],
      "replica-set": [replicaSetController(parts)],
      "stateful-set": [statefulSetController(parts)],
      "leader-worker-set": leaderWorkerSetController(parts),
      scheduler: [scheduler(parts)],
      "garbage-collector": [garbageCollector(parts)],
    };
  }

  /** Whether something is under way that will go on by itself. */
  get isBusy(): boolean {
    return this.#clock.pending > 0;
  }

  pause(controller: ControllerName, paused: boolean): void {
    for (const loop of this.#loops[controller]) loop.paused = paused;
  }
}
