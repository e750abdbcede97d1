// A cluster of Google Cloud with a pool of GPU nodes and something on it, for the test of the clouds' doubles: as little
// as shows that what the cloud gives leads to the local cluster.

import { Network } from "@pulumi/gcp/compute/network.js";
import { Subnetwork } from "@pulumi/gcp/compute/subnetwork.js";
import { Cluster } from "@pulumi/gcp/container/cluster.js";
import { getEngineVersions } from "@pulumi/gcp/container/getEngineVersions.js";
import { NodePool } from "@pulumi/gcp/container/nodePool.js";
import { Provider as GcpProvider } from "@pulumi/gcp/provider.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import { all } from "@pulumi/pulumi";
import { Config } from "@pulumi/pulumi/config.js";

const config = new Config();
const name = config.require("name");
const provider = new GcpProvider("google", { project: "test-project", region: "us-central1" });
const versions = await getEngineVersions({ location: "us-central1" }, { provider });

const network = new Network("network", { name, autoCreateSubnetworks: false }, { provider });
const subnetwork = new Subnetwork(
  "subnetwork",
  { name, network: network.id, ipCidrRange: "10.0.0.0/20" },
  { provider },
);

const cluster = new Cluster(
  "cluster",
  {
    name,
    location: "us-central1",
    network: network.id,
    subnetwork: subnetwork.id,
    minMasterVersion: versions.latestMasterVersion,
    initialNodeCount: 1,
    removeDefaultNodePool: true,
    deletionProtection: false,
  },
  { provider },
);

const system = new NodePool(
  "system",
  { name: "system", cluster: cluster.id, nodeCount: 1, nodeConfig: { machineType: "e2-standard-4" } },
  { provider },
);

const gpus = new NodePool(
  "gpus",
  {
    name: "gpus",
    cluster: cluster.id,
    nodeLocations: config.requireObject<string[]>("zones"),
    nodeCount: config.requireNumber("nodes"),
    nodeConfig: {
      machineType: "a3-highgpu-8g",
      guestAccelerators: [
        {
          type: "nvidia-h100-80gb",
          count: 8,
          gpuDriverInstallationConfig: { gpuDriverVersion: config.require("driver") },
        },
      ],
      ephemeralStorageLocalSsdConfig: { localSsdCount: 16 },
      labels: { "example.com/team": config.require("team") },
      taints: [{ key: "example.com/only", value: "models", effect: "NO_SCHEDULE" }],
    },
  },
  {
    provider,
    dependsOn: system,
    deleteBeforeReplace: true,
    protect: config.requireBoolean("protect"),
  },
);

const kubeconfig = all([cluster.endpoint, cluster.masterAuth]).apply(([endpoint, { clusterCaCertificate }]) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "gke",
        cluster: { server: `https://${endpoint}`, "certificate-authority-data": clusterCaCertificate },
      },
    ],
    users: [
      {
        name: "gke",
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "gke-gcloud-auth-plugin",
            installHint: "see the documentation of GKE",
            interactiveMode: "Never",
            provideClusterInfo: true,
          },
        },
      },
    ],
    contexts: [{ name: "gke", context: { cluster: "gke", user: "gke" } }],
    "current-context": "gke",
  }),
);
const inCluster = {
  provider: new KubernetesProvider("cluster", { kubeconfig, clusterIdentifier: cluster.id }),
};
const namespace = new Namespace("namespace", { metadata: { name } }, { ...inCluster, dependsOn: gpus });
const release = new Release(
  "chart",
  {
    name: "chart",
    namespace: namespace.metadata.name,
    chart: `${import.meta.dirname}/../example-project/chart`,
    values: { text: "hello" },
  },
  inCluster,
);

export const poolId = gpus.id;
export const gpuZones = gpus.nodeLocations;
export const chartStatus = release.status.status;
