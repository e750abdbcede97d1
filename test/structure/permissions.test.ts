// What the operator watches and makes stands in one record; the chart's ClusterRole grants it. A kind that is added to
// the one and not to the other would show only in a cluster that enforces RBAC.
import { expect, test } from "vitest";
import { watched } from "../../src/operator/observed/watched.ts";
import { type ChartObject, renderChart } from "../support/chart/render.ts";

interface ClusterRole extends ChartObject {
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** `verb resource.group` of each right to whole objects that the operator's own ClusterRole grants. */
async function granted(): Promise<readonly string[]> {
  const values = { operator: { image: "none" } };
  const objects = await renderChart<ClusterRole>({ name: "llama-operator", namespace: "system", values });
  const role = objects.find(
    ({ kind, metadata }) => kind === "ClusterRole" && metadata.name === "llama-operator",
  );
  return (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources
        .filter((resource) => !resource.includes("/"))
        .flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${group}`)),
    ),
  );
}

function rightsTo(verbs: readonly string[], kinds: readonly (keyof typeof watched)[]): readonly string[] {
  return kinds.flatMap((name) => {
    const { plural, group } = watched[name].type;
    return verbs.map((verb) => `${verb} ${plural}.${group}`);
  });
}

const names = Object.keys(watched) as (keyof typeof watched)[];

test("the chart grants to list and watch exactly the kinds that the operator watches, and what it looks up", async () => {
  const reads = (await granted()).filter((right) => /^(?:get|list|watch) /.test(right));
  const expected = [
    ...rightsTo(["list", "watch"], names),
    // Whether another installation leads.
    "list leases.coordination.k8s.io",
    // Why the pods of a group are not made.
    "list events.events.k8s.io",
  ];
  expect(reads.toSorted()).toEqual(expected.toSorted());
});

test("the chart grants to apply exactly the kinds that the operator makes, events, and marks on pods", async () => {
  const writes = (await granted()).filter((right) => /^(?:create|patch) /.test(right));
  const made = names.filter((name) => watched[name].owned);
  const expected = [
    ...rightsTo(["create", "patch"], made),
    "create events.events.k8s.io",
    "patch events.events.k8s.io",
    // The mark of a victim.
    "patch pods.",
  ];
  expect(writes.toSorted()).toEqual(expected.toSorted());
});
