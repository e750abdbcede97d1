import { expect, test } from "vitest";
import { cases } from "@llama-operator/llama/testing";
import { wishOf } from "@llama-operator/llama/planning";
import { renderRevision } from "../../workloads/revision.ts";
import { revisionInForce, type StoredRevision } from "./stored.ts";

const { owner, spec, plan } = cases.eightB;
const older = { ...spec, context: { ...spec.context, maxTokens: 4096 } };
const data = renderRevision({ owner, spec, plan });

function stored(hash: string, number: number, wanted: typeof spec | undefined): StoredRevision {
  const madeFor = wanted && { wish: wishOf(wanted) };
  return {
    data: { ...data, hash },
    number,
    madeFor,
    placements: [],
    placed: [],
  } as unknown as StoredRevision;
}

const named = { currentRevision: "old" } as never;

test.each([
  ["the one that status names", [stored("old", 1, spec), stored("new", 2, older)], "old"],
  [
    "the newest, stored by a pass that ended before it wrote status",
    [stored("old", 1, older), stored("new", 2, spec)],
    "new",
  ],
  [
    "the one that status names, where nobody wrote what they were made for",
    [stored("old", 1, undefined), stored("new", 2, undefined)],
    "old",
  ],
  ["the newest, where the one that status names is gone", [stored("new", 2, spec)], "new"],
])("in force is %s", (_, revisions, hash) => {
  expect(revisionInForce({ status: named, spec }, revisions)?.data.hash).toBe(hash);
});
