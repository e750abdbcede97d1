// The platform of a stack on Google Kubernetes Engine: network, cluster, system nodes, fabric, and last the pools of GPU
// nodes, which are billed from creation, so they come last.
import { RunError, all, output } from "@pulumi/pulumi";
import { Provider as GcpProvider } from "@pulumi/gcp/provider.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import { GkeControlPlane } from "./components/cluster.ts";
import { GkeFabricNetworks } from "./components/fabric-networks.ts";
import { GkeFabricObjects } from "./components/fabric-objects.ts";
import { GkeGpuNodePool } from "./components/gpu-node-pool.ts";
import { GkeGpuOperator } from "./components/gpu-operator.ts";
import { gkeContext, gkeKubeconfig, gkeLoginPlugin } from "./components/kubeconfig.ts";
import { GkeNetwork } from "./components/network.ts";
import { GkeNodeIdentity } from "./components/node-identity.ts";
import { GkeSystemPool } from "./components/system-pool.ts";
import { systemPoolName } from "./config/cluster.ts";
import type { GkeCluster } from "./config/cluster.ts";
import type { GkePool } from "./config/pool.ts";
import { isProtected } from "../../config/capacity.ts";
import { guardPools } from "../../guards/guard-pools.ts";
import type { PoolGuard } from "../../guards/guard-pools.ts";
import { guardedPool } from "./guarded-pool.ts";
import { fabricCount, hasFabric, networksOf } from "./pool-networks.ts";
import type { CloudProgram, MadeClusterAccess } from "../cloud-program.ts";
import { checkGkeAccount } from "./availability.ts";
import { gkeReadings } from "./readings.ts";
import { failOnProblems } from "../fail-on-problems.ts";
import { isExecutable } from "../../platform/kubeconfig.ts";

export const gkePlatform: CloudProgram<"gke"> = async ({ cluster, pools }, { env, ...guarding }) => {
  if (!(await isExecutable(gkeLoginPlugin, env))) {
    throw new RunError(
      `${gkeLoginPlugin}, by which kubectl, Helm and Pulumi log in to GKE, is not on PATH: install it with gcloud components install ${gkeLoginPlugin}`,
    );
  }
  const guard = await guardPools(
    pools.map((pool) => guardedPool(cluster, pool)),
    guarding,
  );
  const { project, region } = cluster;
  const provider = new GcpProvider("gcp", { project, region });
  await failOnProblems("the project", await checkGkeAccount(cluster, pools, gkeReadings({ provider })));
  return register(cluster, pools, provider, guard);
};

function register(
  cluster: GkeCluster,
  pools: readonly GkePool[],
  provider: GcpProvider,
  guard: PoolGuard,
): MadeClusterAccess {
  const network = new GkeNetwork("network", { cluster }, { provider });
  const identity = new GkeNodeIdentity("nodes", { cluster }, { provider });
  const fabric = new GkeFabricNetworks("gpu", { cluster, count: fabricCount(pools) }, { provider });
  const controlPlane = new GkeControlPlane(
    "cluster",
    {
      cluster,
      network,
      multiNetwork: hasFabric(pools),
      serviceAccount: identity.email,
      protect: pools.some(isProtected),
    },
    { provider, dependsOn: [network.nat, ...identity.grants] },
  );
  const access = accessOf(cluster, controlPlane);
  const place = { cluster, clusterId: controlPlane.clusterId, serviceAccount: identity.email };
  const system = new GkeSystemPool(systemPoolName, place, {
    provider,
    deletedWith: controlPlane.cluster,
    dependsOn: [network.nat, ...identity.grants],
  });
  const kubernetes = new KubernetesProvider("cluster", {
    kubeconfig: access.kubeconfig,
    context: access.context,
    clusterIdentifier: access.server,
  });
  const onCluster = { provider: kubernetes, deletedWith: controlPlane.cluster, dependsOn: [system] };
  const addOns = [
    ...(fabric.networks.length === 0
      ? []
      : [new GkeFabricObjects("fabric", { networks: fabric.networks }, onCluster)]),
    ...(pools.some(({ driver }) => driver === "gpuOperator")
      ? [new GkeGpuOperator("gpu-operator", {}, onCluster)]
      : []),
  ];
  for (const pool of pools) {
    const networks = networksOf(pool, fabric.networks);
    const { nodePool } = new GkeGpuNodePool(
      pool.name,
      { ...place, pool, clusterResource: controlPlane.cluster, networks },
      { provider, dependsOn: [system, fabric, ...addOns] },
    );
    guard.remember(pool.name, nodePool);
  }
  return access;
}

function accessOf(cluster: GkeCluster, controlPlane: GkeControlPlane): MadeClusterAccess {
  const { project, region, name } = cluster;
  const { server, certificateAuthority: ca } = controlPlane;
  const kubeconfig = all([server, ca]).apply(([url, certificateAuthority]) =>
    gkeKubeconfig({ project, region, name, server: url, certificateAuthority }),
  );
  return { kubeconfig, context: output(gkeContext(cluster)), server };
}
