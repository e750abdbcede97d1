// The platform of a stack on Azure Kubernetes Service: network, cluster with its system pool, what brings drivers, and the
// pools of GPU nodes, which are billed from creation, so they come last.
import { RunError, output } from "@pulumi/pulumi";
import { listManagedClusterUserCredentialsOutput } from "@pulumi/azure-native/containerservice/listManagedClusterUserCredentials.js";
import { Provider as AzureProvider } from "@pulumi/azure-native/provider.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import { AksControlPlane } from "./components/cluster.ts";
import { AksGpuDrivers } from "./components/gpu-drivers.ts";
import { AksGpuNodePool } from "./components/gpu-node-pool.ts";
import { aksEndpoint, aksKubeconfig, aksLoginPlugin } from "./components/kubeconfig.ts";
import type { ComponentOptions } from "../../components/transform.ts";
import type { AksCluster } from "./config/cluster.ts";
import type { AksPool } from "./config/pool.ts";
import { guardPools } from "../../guards/guard-pools.ts";
import type { PoolGuard } from "../../guards/guard-pools.ts";
import { isProtected } from "../../config/capacity.ts";
import { guardedPool } from "./guarded-pool.ts";
import { checkAksAccount } from "./availability.ts";
import { aksReadings } from "./readings.ts";
import type { CloudProgram, MadeClusterAccess } from "../cloud-program.ts";
import { failOnProblems } from "../fail-on-problems.ts";
import { isExecutable } from "../../platform/kubeconfig.ts";

export const aksPlatform: CloudProgram<"aks"> = async ({ cluster, pools }, { env, ...guarding }) => {
  if (!(await isExecutable(aksLoginPlugin, env))) {
    throw new RunError(
      `${aksLoginPlugin}, which kubectl and Pulumi log in to AKS with, is not on PATH: install it (az aks install-cli)`,
    );
  }
  const guard = await guardPools(
    pools.map((pool) => guardedPool(cluster, pool)),
    guarding,
  );
  const provider = new AzureProvider("azure", {
    subscriptionId: cluster.subscription,
    location: cluster.location,
    ...(cluster.tenant === undefined ? {} : { tenantId: cluster.tenant }),
  });
  await failOnProblems("the subscription", await checkAksAccount(cluster, pools, aksReadings({ provider })));
  return register(cluster, pools, provider, guard);
};

function register(
  cluster: AksCluster,
  pools: readonly AksPool[],
  provider: AzureProvider,
  guard: PoolGuard,
): MadeClusterAccess {
  const controlPlane = new AksControlPlane(
    "cluster",
    { cluster, protect: pools.some(isProtected) },
    { provider },
  );
  const { managedCluster, subnetId } = controlPlane;
  const credentials = listManagedClusterUserCredentialsOutput(
    { resourceGroupName: cluster.resourceGroup, resourceName: managedCluster.name, format: "exec" },
    { provider, dependsOn: [managedCluster] },
  );
  const endpoint = credentials.apply(({ kubeconfigs }) => aksEndpoint(kubeconfigs[0]?.value ?? ""));
  const kubeconfig = endpoint.apply((known) => aksKubeconfig(cluster, known));
  const server = endpoint.apply((known) => known.server);
  gpuDrivers(pools, {
    provider: new KubernetesProvider("cluster", { kubeconfig, clusterIdentifier: server }),
    dependsOn: [controlPlane],
    deletedWith: managedCluster,
  });
  // Not after the drivers: a driver that does not come up must not delay taking the capacity.
  for (const pool of pools) {
    const { agentPool } = new AksGpuNodePool(
      pool.name,
      { pool, cluster, clusterResource: managedCluster, subnetId },
      { provider, dependsOn: [controlPlane] },
    );
    guard.remember(pool.name, agentPool);
  }
  return { kubeconfig, context: output(cluster.name), server };
}

function gpuDrivers(pools: readonly AksPool[], options: ComponentOptions): AksGpuDrivers {
  const isOperated = pools.some(({ driver }) => driver === "gpuOperator");
  return new AksGpuDrivers(
    "gpu-drivers",
    {
      driver: isOperated ? "gpuOperator" : "install",
      infiniband: pools.some(({ infiniband }) => infiniband),
    },
    options,
  );
}
