import { expect, test } from "vitest";
import type { PropertyMap } from "../../../local-engine/protocol/properties.ts";
import type { CloudAccount, CloudRecord, CloudView } from "../cloud.ts";
import { cluster } from "./cluster.ts";
import { types } from "./names.ts";

const group: CloudRecord = {
  package: "azure-native",
  type: types.resourceGroup,
  id: "/subscriptions/s/resourceGroups/g",
  inputs: {},
  outputs: {},
  serial: 1,
};

function cloud(account: CloudAccount = {}): CloudView {
  const records = (type?: string) => [group].filter((each) => type === undefined || each.type === type);
  return {
    provider: { subscriptionId: "s", location: "eastus" },
    account,
    records,
    find: (type, id) => records(type).find((each) => each.id === id),
    apiServer: { host: "127.0.0.1:1", certificateAuthority: "" },
  };
}

const asked = (kubernetesVersion: string, vmSize = "Standard_D4ds_v5"): PropertyMap => ({
  resourceGroupName: "g",
  resourceName: "llama",
  kubernetesVersion,
  agentPoolProfiles: [{ name: "system", mode: "System", vmSize, count: 2 }],
});

const made: CloudRecord = {
  ...group,
  type: types.cluster,
  id: "c",
  inputs: asked("1.35"),
  outputs: { currentKubernetesVersion: "1.35.6" },
};

test("the pool inside a cluster keeps its machine", () => {
  expect(cluster.refusal?.(asked("1.35"), cloud(), made)).toBeUndefined();
  expect(cluster.refusal?.(asked("1.35", "Standard_D8ds_v5"), cloud(), made)).toContain(
    "PropertyChangeNotAllowed",
  );
});

test("a version is refused where it is sold no more, or too far", () => {
  const account = { versions: ["1.36.3", "1.37.1"] };
  expect(cluster.refusal?.(asked("1.35"), cloud(account))).toContain("K8sVersionNotSupported");
  expect(cluster.refusal?.(asked("1.35"), cloud(account), made)).toBeUndefined();
  expect(cluster.refusal?.(asked("1.36"), cloud(account), made)).toBeUndefined();
  expect(cluster.refusal?.(asked("1.37"), cloud(account), made)).toContain("OperationNotAllowed");
});
