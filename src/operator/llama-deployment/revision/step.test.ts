import { expect, test } from "vitest";
import type { LlamaDeploymentSpec } from "@llama-operator/llama/api";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { cases } from "@llama-operator/llama/testing";
import { controllerRevision } from "../../workloads/controller-revision.ts";
import { renderRevision, type RevisionData } from "../../workloads/revision.ts";
import type { Scope } from "../scope.ts";
import { story } from "../status/testing/stories.ts";
import { chooseRevision } from "./step.ts";
import { RevisionReader } from "./stored.ts";

const { owner, spec, plan } = cases.eightB;
const rendered = renderRevision({ owner, spec, plan });

function scopeWith(data: RevisionData, wanted: LlamaDeploymentSpec = spec): Scope {
  const { scope } = story({});
  const manifest = controllerRevision(owner, data, 4);
  const metadata = { ...manifest.metadata, name: "r", uid: "u", resourceVersion: "1" };
  const object = { ...manifest, metadata } as unknown as Live<KubeObject>;
  return {
    ...scope,
    object: { ...scope.object, spec: wanted },
    revisions: new RevisionReader().stored([object]),
  };
}

test("a stored revision is used as it is, whatever hash another release gave the same intent", () => {
  const stored = { ...rendered, hash: "0123456789" };
  expect(chooseRevision(scopeWith(stored), { workloads: [] }, plan)).toEqual({ data: stored });
});

test("a stored revision is used whatever its pool was called, and wherever its pods were placed", () => {
  const renamed = { ...plan, pool: "other", nodeSelector: { other: "pool" }, tolerations: [] };
  const { data, newNumber } = chooseRevision(scopeWith(rendered), { workloads: [] }, renamed);
  expect(newNumber).toBeUndefined();
  expect(data).toMatchObject({
    hash: rendered.hash,
    plan: { pool: "other", nodeSelector: { other: "pool" } },
  });
  expect(data.templates.serving.spec).toMatchObject({ nodeSelector: { other: "pool" } });
});

test("another intent is a new revision under the next number", () => {
  const wanted = { ...spec, engine: { ...spec.engine, args: { seed: "1" } } };
  const chosen = chooseRevision(scopeWith(rendered, wanted), { workloads: [] }, plan);
  expect(chosen.newNumber).toBe(5);
  expect(chosen.data.hash).not.toBe(rendered.hash);
});
