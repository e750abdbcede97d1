// Whole manifests, as people would read them in a pull request: what changes for running models shows up here.
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { desiredObjects, workloads, type RevisionWorkload } from "./desired.ts";
import { cases, type Case } from "@llama-operator/llama/testing";
import { renderRevision, spansNodes } from "./revision.ts";

function workloadOf(given: Case): RevisionWorkload {
  const revision = renderRevision(given);
  return spansNodes(revision) ? { revision, slots: [0] } : { revision, replicas: given.spec.replicas };
}

function yamlOf(objects: readonly object[]): string {
  return objects
    .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
}

describe("the manifests", () => {
  test("of everything that a small model becomes", async () => {
    const { owner } = cases.eightB;
    const objects = desiredObjects({ owner, workloads: [workloadOf(cases.eightB)] });
    await expect(yamlOf(objects)).toMatchFileSnapshot(`golden/${cases.eightB.name}.yaml`);
  });

  test.each(Object.values(cases).slice(1))("of the workload in $name", async (given) => {
    const objects = workloads(given.owner, workloadOf(given));
    await expect(yamlOf(objects)).toMatchFileSnapshot(`golden/${given.name}.yaml`);
  });
});
