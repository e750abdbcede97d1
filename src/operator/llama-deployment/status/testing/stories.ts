// Small worlds for the tests of status and events: a scope and a pass in which only what a test names differs from one
// replica that answers.
import type { LlamaDeploymentStatus } from "@llama-operator/llama/api";
import { cases } from "@llama-operator/llama/testing";
import { renderRevision, type RevisionData } from "../../../workloads/revision.ts";
import type { Block, Pass } from "../../pass.ts";
import type { Replica } from "../../replicas/replica.ts";
import type { Placement, Rollout } from "../../rollout/rollout.ts";
import type { Scope } from "../../scope.ts";

export interface Story {
  readonly wanted?: number;
  readonly replicas?: readonly Replica[];
  readonly leaving?: number;
  readonly block?: Block;
  readonly placement?: Placement;
  readonly waiting?: { readonly sinceMs: number; readonly replicas: number };
  readonly previous?: LlamaDeploymentStatus;
  readonly now?: string;
  /** Hash of the revision of this generation; `new` unless said. */
  readonly revision?: string;
  /** Hash of the revision in force of a generation that is blocked; none unless said. */
  readonly inForce?: string;
  readonly startupSeconds?: number;
  readonly measured?: Pass["measured"];
  readonly differences?: NonNullable<Pass["differences"]>;
}

const { owner, spec, plan } = cases.eightB;
const rendered = renderRevision({ owner, spec, plan });

export function replica(over: Partial<Replica> = {}): Replica {
  return { id: "pod", revision: "new", pods: [], placed: true, ready: true, ...over };
}

export function story(told: Story): { readonly scope: Scope; readonly pass: Pass } {
  const { wanted = 1, replicas = [replica()], leaving = 0, now = "2026-11-23T10:00:00.123Z" } = told;
  const metadata = { name: "chat", namespace: "default", uid: "u", resourceVersion: "1", generation: 3 };
  const scope: Scope = {
    object: {
      apiVersion: "llama-operator.dev/v1alpha1",
      kind: "LlamaDeployment",
      metadata,
      spec: { ...spec, replicas: wanted },
      ...(told.previous === undefined ? {} : { status: told.previous }),
    },
    owner: { name: "chat", namespace: "default", uid: "u" },
    now: new Date(now),
    namespaceLabels: {},
    pools: [],
    children: {
      service: undefined,
      serviceAccount: undefined,
      podDisruptionBudget: undefined,
      revisions: [],
      deployments: [],
      leaderWorkerSets: [],
      orphans: [],
    },
    revisions: [],
    pods: [],
    leavingPods: leaving,
    servesLeaderWorkerSets: true,
    hasPriorityClass: true,
    nodeNamed: () => undefined,
    nodesOf: () => [],
  };
  return { scope, pass: passOf(told, replicas) };
}

function passOf(told: Story, replicas: readonly Replica[]): Pass {
  const { block, revision = "new", inForce } = told;
  const pass: Pass = {
    context: { request: owner, signal: new AbortController().signal },
    workloads: [],
    replicas,
  };
  if (told.measured !== undefined) pass.measured = told.measured;
  if (block !== undefined) {
    pass.block = block;
    if (inForce !== undefined) pass.revision = { data: revisionNamed(inForce, told) };
    return pass;
  }
  if (told.differences !== undefined) pass.differences = told.differences;
  pass.plan = plan;
  pass.revision = { data: revisionNamed(revision, told) };
  pass.rollout = rolloutOf(told);
  return pass;
}

function revisionNamed(hash: string, { startupSeconds = 120 }: Story): RevisionData {
  return { ...rendered, hash, plan: { ...plan, startupSeconds } };
}

function rolloutOf({ placement, waiting }: Story): Rollout {
  return {
    plan: { create: [], drain: [], remove: [], undrain: [], withheld: 0, reason: "nothing older runs" },
    workloads: [],
    placement,
    waiting,
  };
}
