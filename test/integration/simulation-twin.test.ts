// One script, played on the simulation and on a real cluster: both must come to the same end. What the small controllers
// of the simulation get wrong shows here, before anything is developed on it.
import { expect, test } from "vitest";
import type { LlamaDeployment } from "../../src/llama/api/resources.ts";
import type { KubeObject, Live } from "../../src/kube-runtime/client/object.ts";
import { simulate } from "../../src/operator/testing/simulation.ts";
import { kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { addToken, applyLlama, editLlama, gatedModel, list, untilCondition } from "../support/llama.ts";
import { testPool } from "../support/pools.ts";

interface Wanted {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
}

/** What a person does, and waits for. */
type Step =
  | { readonly apply: string; readonly spec: Readonly<Record<string, unknown>> }
  | { readonly edit: string; readonly spec: Readonly<Record<string, unknown>> }
  | { readonly remove: string; readonly kind: string }
  | { readonly patch: string; readonly kind: string; readonly with: Readonly<Record<string, unknown>> }
  | { readonly until: string; readonly is: Wanted };

const model8b = gatedModel("llama-3.1-8b-instruct");
const twoNodes = { model: gatedModel("llama-3.1-405b-instruct"), quantization: { weights: "bf16" } };
const serving = { type: "Ready", status: "True", reason: "Serving" } as const;

const nodes = 3;

const script: readonly Step[] = [
  { apply: "chat", spec: { model: model8b } },
  { apply: "parked", spec: { model: model8b, replicas: 0 } },
  { apply: "unknown", spec: { model: { name: "llama-9" } } },
  { until: "chat", is: serving },
  { apply: "big", spec: twoNodes },
  { until: "big", is: serving },
  { edit: "chat", spec: { replicas: 3 } },
  { until: "chat", is: serving },
  { edit: "chat", spec: { context: { maxTokens: 65_536 } } },
  { until: "chat", is: serving },
  { edit: "chat", spec: { engine: { args: { tokenizer: "another" } } } },
  { until: "chat", is: { type: "Stalled", status: "True", reason: "InvalidSpec" } },
  { edit: "chat", spec: { engine: { args: { tokenizer: null } } } },
  { until: "chat", is: serving },
  { patch: "chat", kind: "service", with: { spec: { selector: { "llama-operator.dev/role": "nobody" } } } },
  { remove: "chat", kind: "poddisruptionbudget" },
  { apply: "waiting", spec: twoNodes },
  { until: "waiting", is: { type: "Scheduled", status: "False", reason: "WaitingForGpus" } },
  // A GPU is free for it, on a node that the group ahead of it may need.
  { apply: "behind", spec: { model: model8b } },
  { until: "behind", is: { type: "Scheduled", status: "False", reason: "WaitingForGpus" } },
  { remove: "big", kind: "llamadeployment" },
  { until: "waiting", is: serving },
  { until: "behind", is: serving },
  { edit: "chat", spec: { replicas: 2 } },
  { until: "chat", is: serving },
];

/** Kinds whose objects must be the same in the end, as kubectl calls them. */
const comparedKinds = [
  "LlamaDeployment",
  "ServiceAccount",
  "Service",
  "PodDisruptionBudget",
  "ControllerRevision",
  "Deployment",
  "LeaderWorkerSet",
  "Pod",
] as const;

interface Compared extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: Readonly<Record<string, string>> };
  readonly status?: LlamaDeployment["status"];
  readonly revision?: number;
}

const label = (object: KubeObject, name: string): string | undefined => object.metadata?.labels?.[name];

/** What must be alike: nothing that holds a uid, a hash or a time. */
function endOf(objects: readonly Live<Compared>[]): readonly string[] {
  const ours = objects.filter((object) => label(object, "llama-operator.dev/deployment") !== undefined);
  const isOwned = ({ metadata }: Live<Compared>) =>
    metadata.ownerReferences?.some(({ kind }) => kind === "LlamaDeployment") === true;
  const revisions = new Map(
    ours
      .filter((object) => object.kind === "ControllerRevision" && isOwned(object))
      .map((object) => [label(object, "llama-operator.dev/revision"), object.revision]),
  );
  const nameOf = (object: Live<Compared>): string => {
    const hash = label(object, "llama-operator.dev/revision");
    return hash === undefined
      ? object.metadata.name
      : `${label(object, "llama-operator.dev/deployment")}@${revisions.get(hash)}`;
  };
  const made = ours
    .filter(isOwned)
    .map((object) => `${object.kind} ${nameOf(object)} replicas ${object.spec?.replicas ?? "-"}`);
  const pods = ours
    .filter(({ kind }) => kind === "Pod")
    .map((pod) => `Pod of ${nameOf(pod)} ${label(pod, "llama-operator.dev/role")}`);
  const statuses = objects
    .filter(({ kind }) => kind === "LlamaDeployment")
    .map(({ metadata, status }) => {
      const conditions = (status?.conditions ?? []).map(
        (each) => `${each.type}=${each.status}/${each.reason}`,
      );
      const isObserved = status?.observedGeneration === metadata.generation;
      const { replicas, readyReplicas, plan } = status ?? {};
      const layout = plan && `${plan.tensor} x ${plan.pipeline}, ${plan.maxTokens} tokens`;
      return `${metadata.name} observed ${isObserved} ${readyReplicas}/${replicas} (${layout}) ${conditions.join(" ")}`;
    });
  const endpoints = ours
    .filter(({ kind }) => kind === "Service")
    .flatMap((service) =>
      behind(service, objects).map((pod) => `endpoint of ${service.metadata.name}: ${nameOf(pod)}`),
    );
  return [...statuses, ...made, ...pods, ...endpoints].toSorted();
}

/** The pods that a Service leads to: a local cluster runs no EndpointSlice controller, its proxy looks for itself. */
function behind(service: Live<Compared>, objects: readonly Live<Compared>[]): readonly Live<Compared>[] {
  const selector = Object.entries(service.spec?.selector ?? {});
  return objects.filter(
    (pod) =>
      pod.kind === "Pod" &&
      pod.metadata.deletionTimestamp === undefined &&
      selector.every(([key, value]) => label(pod, key) === value) &&
      (pod.status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True"),
  );
}

async function playOnSimulation(): Promise<readonly string[]> {
  const sim = simulate({ nodes });
  sim.apply({ apiVersion: "v1", kind: "Secret", metadata: { name: "hf-token" } });
  for (const step of script) {
    // A person takes a moment, and what waits is served by its age.
    await sim.pass(1);
    if ("apply" in step) sim.llama(step.apply, step.spec);
    else if ("edit" in step) sim.edit(step.edit, step.spec);
    else if ("remove" in step) sim.delete(kindOf(step.kind), step.remove);
    else if ("patch" in step) sim.patch(kindOf(step.kind), step.patch, step.with);
    else {
      await sim.until(`${step.until} is ${step.is.reason}`, () => {
        const { metadata, status } = sim.llamaDeployment(step.until);
        const isSeen = status?.observedGeneration === metadata.generation;
        return isSeen && holds(status?.conditions ?? [], step.is);
      });
    }
  }
  await sim.settle();
  return endOf(comparedKinds.flatMap((kind) => sim.list<Compared>(kind, "models")));
}

function holds(conditions: readonly Wanted[], { type, status, reason }: Wanted): boolean {
  return conditions.some((each) => each.type === type && each.status === status && each.reason === reason);
}

function kindOf(name: string): string {
  return [...comparedKinds].find((kind) => kind.toLowerCase() === name) ?? name;
}

async function realEnd(namespace: string): Promise<readonly string[]> {
  const kinds = comparedKinds.map((kind) => kind.toLowerCase()).join(",");
  return endOf((await list(namespace, kinds)) as unknown as readonly Live<Compared>[]);
}

async function playOnCluster(namespace: string): Promise<void> {
  const cluster = sharedCluster();
  for (const step of script) {
    if ("apply" in step) await applyLlama(namespace, step.apply, step.spec);
    else if ("edit" in step) await editLlama(namespace, step.edit, step.spec);
    else if ("remove" in step) await kubectl(cluster, ["delete", step.kind, step.remove, "-n", namespace]);
    else if ("patch" in step) {
      const patch = JSON.stringify(step.with);
      await kubectl(cluster, ["patch", step.kind, step.patch, "-n", namespace, "--type=merge", "-p", patch]);
    } else await untilCondition(namespace, step.until, step.is, 90);
  }
}

test("the simulation and a real cluster come to the same end", async () => {
  const simulated = await playOnSimulation();
  const namespace = await testNamespace(sharedCluster());
  await addToken(namespace);
  await testPool(namespace, { nodes });
  await playOnCluster(namespace);
  // Pods take a moment to leave.
  await eventually(
    "the real cluster has come to rest",
    async () => ((await realEnd(namespace)).join("\n") === simulated.join("\n") ? true : undefined),
    40,
  ).catch(() => undefined);
  expect(await realEnd(namespace)).toEqual(simulated);
});
