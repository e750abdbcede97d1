import { expect, test } from "vitest";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { ObjectStore } from "@llama-operator/kube-runtime/cache";
import { objectLabels, revisionLabel } from "../workloads/labels.ts";
import { byDeployment, type Caches } from "../observed/caches.ts";
import { NodeClaims } from "./claims.ts";
import type { RevisionReader } from "../llama-deployment/revisions.ts";

const revisions = { stored: () => [{ data: { plan: { pool: "h100" } } }] } as unknown as RevisionReader;

function world() {
  const leaderWorkerSets = new ObjectStore<KubeObject>();
  const controllerRevisions = new ObjectStore<KubeObject>();
  const pods = new ObjectStore<KubeObject>({ [byDeployment]: () => [] });
  const caches = { leaderWorkerSets, controllerRevisions, pods } as unknown as Caches;
  return { leaderWorkerSets, controllerRevisions, claims: new NodeClaims(caches, revisions) };
}

function object(kind: string, name: string, spec?: object): Live<KubeObject> {
  const labels = { ...objectLabels("llama"), [revisionLabel]: "1" };
  const metadata = { namespace: "a", name, uid: name, resourceVersion: "1", labels };
  return { apiVersion: "v1", kind, metadata, ...(spec === undefined ? {} : { spec }) };
}

const claim = { holder: "a/llama", pool: "h100", nodes: 2 };

test("a claim counts until the cache shows the group, whose pods without a node count then", () => {
  const { claims, leaderWorkerSets, controllerRevisions } = world();
  claims.claim("a/llama-0", claim);
  expect(claims.promised("h100")).toBe(2);
  expect(claims.promised("other")).toBe(0);
  controllerRevisions.put(object("ControllerRevision", "llama-1"));
  leaderWorkerSets.put(object("LeaderWorkerSet", "llama-0", { leaderWorkerTemplate: { size: 2 } }));
  expect(claims.promised("h100")).toBe(2);
});

test("what was promised to an object is taken back as a whole, and nobody else's", () => {
  const { claims } = world();
  claims.claim("a/llama-0", claim);
  claims.claim("a/llama-1", claim);
  claims.claim("b/llama-0", { ...claim, holder: "b/llama" });
  claims.release("a/llama");
  expect(claims.promised("h100")).toBe(2);
});
