// The planner at preview: each model of a stack is planned against the stack's pools, in the words of the operator
// itself, and all replicas together are counted against the nodes that the pools may have.
import { evaluate } from "@llama-operator/llama";
import { gpuPoolSpec, matchesLabels } from "@llama-operator/llama/api";
import {
  type Plan,
  type PoolFacts,
  type Refusal,
  describeRefusal,
  summarize,
  counted,
} from "@llama-operator/llama/planning";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import type { ModelConfiguration } from "../config/model.ts";
import { readMeasuredOverheads } from "../config/operator.ts";
import type { PoolConfiguration } from "../config/pool.ts";
import { driverProblems } from "./drivers.ts";
import { nameOf } from "./placed-model.ts";
import type { RefusedModel } from "./placed-model.ts";
import { gpusPerNode, missingNodes, placeReplica } from "./rooms.ts";
import type { Room } from "./rooms.ts";
import { readsVolume, volumeProblems } from "./volumes.ts";
import { defaultWait, waitSeconds } from "./waits.ts";
import type { Wait } from "./waits.ts";

/** A model with its plan. */
export interface PlannedModel {
  readonly model: ModelConfiguration;
  readonly plan: Plan;
  /** One line for people. */
  readonly summary: string;
  readonly gpus: number;
  readonly wait: Wait;
  readonly waitSeconds: number;
}

/** What the models take of a pool. */
export interface PoolUse {
  readonly pool: string;
  readonly gpusNeeded: number;
  /** GPUs of the nodes that the pool may have, at most. */
  readonly gpusAtMost: number;
  readonly headroomGpus: number;
}

/** Every model has its place. */
export interface StackPlanned {
  readonly ok: true;
  readonly models: readonly PlannedModel[];
  readonly pools: readonly PoolUse[];
}

export type StackPlan = StackPlanned | { readonly ok: false; readonly refusals: readonly RefusedModel[] };

type Planned = readonly [model: ModelConfiguration, plan: Plan];
type Planner = (model: ModelConfiguration, rooms: ReadonlyMap<string, Room>) => Plan | Refusal;

/** Plans every model of a stack. Pure. */
export function planStack(configuration: StackConfiguration): StackPlan {
  const { pools, models } = configuration;
  const planner = plannerOf(configuration);
  const empty: ReadonlyMap<string, Room> = new Map(
    pools.map(({ name, nodes, gpu }) => [name, Array<number>(nodes.max).fill(gpu.perNode)]),
  );
  const refusals: RefusedModel[] = [];
  const planned: Planned[] = [];
  for (const model of models) {
    const result = planner(model, empty);
    if (result.kind === "plan") planned.push([model, result]);
    else refusals.push({ model: nameOf(model), message: describeRefusal(result) });
  }
  if (refusals.length > 0) return { ok: false, refusals };
  return placeAll(configuration, planner, planned, empty);
}

/** Largest first: what needs whole nodes finds them, and the small ones fill the rest. */
function placeAll(
  { pools, models, volumes }: StackConfiguration,
  planner: Planner,
  planned: readonly Planned[],
  empty: ReadonlyMap<string, Room>,
): StackPlan {
  const rooms = new Map(empty);
  const placed = new Map<ModelConfiguration, Plan>();
  const refusals: RefusedModel[] = [];
  for (const [model, alone] of planned.toSorted(
    ([, one], [, other]) => other.gpusPerReplica - one.gpusPerReplica,
  )) {
    const again = planner(model, rooms);
    const chosen = again.kind === "plan" ? again : alone;
    const pool = pools.find(({ name }) => name === chosen.pool);
    const room = rooms.get(chosen.pool);
    if (pool === undefined || room === undefined) continue;
    const left = placeReplicas(room, chosen, model.spec.replicas);
    if (left === undefined) {
      refusals.push({
        model: nameOf(model),
        message: noRoom(model, chosen, pool, room, pools.indexOf(pool)),
      });
    } else {
      rooms.set(pool.name, left);
      placed.set(model, chosen);
    }
  }
  const chosenFor = [...placed].map(([model, chosen]) => ({ model, plan: chosen }));
  refusals.push(...volumeProblems(volumes, chosenFor), ...driverProblems(pools, chosenFor));
  if (refusals.length > 0) return { ok: false, refusals };
  return {
    ok: true,
    models: models.flatMap((model) =>
      plannedModel(model, placed.get(model), pools, readsVolume(model, volumes)),
    ),
    pools: pools.map(({ name, nodes, gpu }) => {
      const gpusAtMost = nodes.max * gpu.perNode;
      const headroomGpus = (rooms.get(name) ?? []).reduce((sum, free) => sum + free, 0);
      return { pool: name, gpusNeeded: gpusAtMost - headroomGpus, gpusAtMost, headroomGpus };
    }),
  };
}

function placeReplicas(room: Room, plan: Plan, replicas: number): Room | undefined {
  let left: Room | undefined = room;
  for (let replica = 0; replica < replicas && left !== undefined; replica += 1)
    left = placeReplica(left, plan);
  return left;
}

function noRoom(
  { spec }: ModelConfiguration,
  chosen: Plan,
  pool: PoolConfiguration,
  room: Room,
  index: number,
): string {
  const gpus = gpusPerNode(chosen);
  const free = room.filter((each) => each >= gpus).length;
  const replica =
    chosen.nodesPerReplica === 1
      ? `${counted(gpus, "GPU")} of a node`
      : `${counted(chosen.nodesPerReplica, "node")} with ${counted(gpus, "GPU")} each`;
  const more = missingNodes(room, chosen, spec.replicas, pool.gpu.perNode);
  return `${counted(spec.replicas, "replica")} with ${replica} each do not fit pool ${pool.name}: of its ${counted(pool.nodes.max, "node")} at most, ${free} still ${free === 1 ? "has" : "have"} ${counted(gpus, "GPU")} free beside the stack's larger models. What would work: pools[${index}].nodes.max ${pool.nodes.max + more}, or fewer replicas`;
}

function plannedModel(
  model: ModelConfiguration,
  chosen: Plan | undefined,
  pools: readonly PoolConfiguration[],
  emptyVolume: boolean,
): readonly PlannedModel[] {
  const pool = pools.find(({ name }) => name === chosen?.pool);
  if (chosen === undefined || pool === undefined) return [];
  const { replicas } = model.spec;
  const wait = model.wait ?? defaultWait(pool, emptyVolume);
  return [
    {
      model,
      plan: chosen,
      summary: summarize(chosen),
      gpus: chosen.gpusPerReplica * replicas,
      wait,
      waitSeconds: waitSeconds(wait, chosen, pool, replicas),
    },
  ];
}

function plannerOf({ pools, namespaces, operator }: StackConfiguration): Planner {
  const read = readMeasuredOverheads(operator);
  const measuredOverheads = read.ok ? read.overheads : [];
  return (model, rooms) => {
    const stated = namespaces.find(({ name }) => name === model.namespace)?.labels ?? {};
    // The API server sets this label on every namespace.
    const labels = { ...stated, "kubernetes.io/metadata.name": model.namespace };
    const usable = pools.flatMap((pool): readonly PoolFacts[] => {
      if (!matchesLabels(labels, pool.namespaceSelector?.matchLabels ?? {})) return [];
      const { name, labels: poolLabels, written } = pool;
      return [
        { name, labels: poolLabels, spec: gpuPoolSpec.parse(written), freeGpus: rooms.get(name) ?? [] },
      ];
    });
    return evaluate({ spec: model.spec, pools: usable, measuredOverheads });
  };
}

/** Refusals in one text, a model each. */
export function describeRefusals(refusals: readonly RefusedModel[]): string {
  const lines = refusals.map(({ model, message }) => `  ${model}: ${message}`);
  return ["what cannot run as written; nothing was done", ...lines].join("\n");
}
