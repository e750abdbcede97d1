import { expect, test } from "vitest";
import { soldVersions } from "./management-api.ts";

test("versions that are sold are those of the usual plan, with their patches", async () => {
  const asked: string[] = [];
  const read = async (path: string) => {
    asked.push(path);
    return {
      values: [
        { version: "1.37", isPreview: true, capabilities: { supportPlan: ["KubernetesOfficial"] } },
        {
          version: "1.36",
          capabilities: { supportPlan: ["KubernetesOfficial", "AKSLongTermSupport"] },
          patchVersions: { "1.36.3": { upgrades: [] }, "1.36.1": { upgrades: ["1.36.3"] } },
        },
        { version: "1.33", capabilities: { supportPlan: ["AKSLongTermSupport"] } },
      ],
    };
  };
  expect(await soldVersions(read, "s", "eastus")).toEqual(["1.36", "1.36.3", "1.36.1"]);
  expect(asked[0]).toContain("/subscriptions/s/providers/Microsoft.ContainerService/locations/eastus/");
});
