import { expect, test } from "vitest";
import { describePoolSteps, poolSteps, replacementRefusal } from "./engine-steps.ts";

const urn = (type: string, name: string) => `urn:pulumi:s::llama-platform::${type}::${name}`;
const groups = {
  eks: "llama-operator:eks:GpuNodePool$aws:eks/nodeGroup:NodeGroup",
  gke: "llama-operator:gke:GpuNodePool$gcp:container/nodePool:NodePool",
  aks: "llama-operator:aks:GpuNodePool$azure-native:containerservice:AgentPool",
  aksOfAVersion: "llama-operator:aks:GpuNodePool$azure-native:containerservice/v20250901:AgentPool",
};
const preview = (...steps: readonly object[]) => JSON.stringify({ config: {}, steps, changeSummary: {} });

test("the pools of every cloud are found, and nothing else", () => {
  const steps = Object.values(groups).map((type, index) => ({
    op: "update",
    urn: urn(type, `pool-${index}`),
  }));
  const others = [
    {
      op: "replace",
      urn: urn("llama-operator:eks:GpuNodePool$aws:ec2/launchTemplate:LaunchTemplate", "h100"),
    },
    {
      op: "delete",
      urn: urn("llama-operator:eks:ControlPlane$aws:eks/nodeGroup:NodeGroup", "cluster-system"),
    },
    { op: "delete", urn: urn("llama-operator:gke:SystemPool$gcp:container/nodePool:NodePool", "system") },
  ];
  const found = poolSteps(preview(...steps, ...others));
  expect(found.map(({ pool }) => pool)).toEqual(["pool-0", "pool-1", "pool-2", "pool-3"]);
});

test("a replacement is one, whatever made the engine decide it, in the order of its steps", () => {
  const own = urn(groups.aks, "h100");
  const steps = poolSteps(
    preview(
      { op: "delete-replaced", urn: own },
      { op: "replace", urn: own, replaceReasons: ["replaceWith"] },
      { op: "create-replacement", urn: own, replaceReasons: ["replaceWith"] },
    ),
  );
  expect(steps).toEqual([{ pool: "h100", effect: "replaced", reasons: ["replaceWith"] }]);
  expect(replacementRefusal(steps, ["other"])).toBe(
    [
      "Pulumi would replace 1 GPU pool; nothing was done",
      "  pool h100: replaced for replaceWith",
      "A replaced pool gives its nodes back, and gets new ones only where there is capacity. Undo the change, or write allowReplace: [other, h100]",
    ].join("\n"),
  );
  expect(replacementRefusal(steps, ["h100"])).toBeUndefined();
});

test("what happens is said with the nodes that it concerns; who stays as he is is left out", () => {
  const steps = poolSteps(
    preview(
      { op: "same", urn: urn(groups.gke, "same") },
      { op: "refresh", urn: urn(groups.gke, "same") },
      { op: "create", urn: urn(groups.gke, "new") },
      { op: "update", urn: urn(groups.gke, "changed") },
      { op: "delete", urn: urn(groups.gke, "old") },
    ),
  );
  expect(
    describePoolSteps(steps, [
      { name: "changed", nodes: 3 },
      { name: "new", nodes: 1 },
    ]),
  ).toEqual([
    "pool new, up to 1 node: made",
    "pool changed, up to 3 nodes: changed in place",
    "pool old: deleted",
  ]);
  expect(replacementRefusal(steps, [])).toBeUndefined();
});

test("a preview without steps says nothing, and what is no preview is an error", () => {
  expect(poolSteps("{}")).toEqual([]);
  expect(() => poolSteps("error: no stack")).toThrow(SyntaxError);
});
