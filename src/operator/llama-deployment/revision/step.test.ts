import { expect, test } from "vitest";
import { cases } from "@llama-operator/llama/testing";
import { renderRevision } from "../../workloads/revision.ts";
import { chooseRevision } from "./step.ts";

const { owner, spec, plan } = cases.eightB;
const rendered = renderRevision({ owner, spec, plan });
const object = {
  apiVersion: "apps/v1",
  kind: "ControllerRevision",
  metadata: { name: "r", uid: "u", resourceVersion: "1" },
};

test("a stored revision is used as it is, whatever hash another release gave the same intent", () => {
  const stored = [{ data: { ...rendered, hash: "0123456789" }, number: 4, object }];
  expect(chooseRevision(owner, spec, plan, stored)).toEqual({ data: stored[0]?.data });
});

test("another intent is a new revision under the next number", () => {
  const stored = [{ data: rendered, number: 4, object }];
  const chosen = chooseRevision(
    owner,
    { ...spec, engine: { ...spec.engine, args: { seed: "1" } } },
    plan,
    stored,
  );
  expect(chosen.newNumber).toBe(5);
  expect(chosen.data.hash).not.toBe(rendered.hash);
});
