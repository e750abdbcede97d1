import { expect, test } from "vitest";
import { parseConfiguration } from "./configuration.ts";

const operator = { image: "registry.example.com/llama-operator:0.1.0" };
const clusters = {
  eks: {
    kind: "eks",
    name: "llama",
    region: "us-east-1",
    version: "1.35",
    network: { zones: ["us-east-1a", "us-east-1b"] },
    endpoint: { access: "private" },
  },
  gke: {
    kind: "gke",
    project: "my-project",
    region: "us-central1",
    name: "llama",
    authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
  },
  aks: {
    kind: "aks",
    subscription: "00000000-0000-0000-0000-000000000000",
    location: "eastus",
    resourceGroup: "llama",
    name: "llama",
    kubernetesVersion: "1.35",
    administrators: ["00000000-0000-0000-0000-000000000001"],
  },
  kubeconfig: { kind: "kubeconfig" },
};

function mistakes(cluster: keyof typeof clusters, volume: object): readonly string[] {
  const volumes = [{ name: "weights", namespace: "llama", size: "500Gi", ...volume }];
  const parsed = parseConfiguration({ cluster: clusters[cluster], pools: [], volumes, operator });
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

test.each(["eks", "gke", "aks"] as const)(
  "a volume for several nodes of %s' default class is refused with what to write",
  (cluster) => {
    expect(mistakes(cluster, {})).toMatchSnapshot();
    expect(mistakes(cluster, { accessModes: ["ReadOnlyMany"] })).toHaveLength(1);
    expect(mistakes(cluster, { accessModes: ["ReadWriteOnce"] })).toEqual([]);
    expect(mistakes(cluster, { storageClass: "my-own" })).toEqual([]);
  },
);

test("classes of the cloud are known by their names", () => {
  expect(mistakes("aks", { storageClass: "azurefile-csi-premium" })).toEqual([]);
  expect(mistakes("aks", { storageClass: "managed-csi-premium" })).toHaveLength(1);
  expect(mistakes("eks", { storageClass: "gp2" })).toHaveLength(1);
  expect(mistakes("gke", { storageClass: "standard-rwx" })).toEqual([
    "volumes[0].storageClass: GKE's class standard-rwx gives no volume in a cluster of this stack: write storageClass: a class of your own of Filestore or Managed Lustre in the cluster's network, whose driver you have turned on",
  ]);
});

test("of a cluster that is there nothing is known", () => {
  expect(mistakes("kubeconfig", {})).toEqual([]);
});
