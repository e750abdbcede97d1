// The platform of a stack on Azure Kubernetes Service: network, cluster with its system pool, what brings drivers, and the
// pools of GPU nodes, which are billed from creation, so they come last.
import { RunError, output } from "@pulumi/pulumi";
import { listManagedClusterUserCredentialsOutput } from "@pulumi/azure-native/containerservice/listManagedClusterUserCredentials.js";
import { Provider as AzureProvider } from "@pulumi/azure-native/provider.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import { agentPoolFacts } from "./components/agent-pool.ts";
import { AksControlPlane } from "./components/cluster.ts";
import { AksGpuDrivers } from "./components/gpu-drivers.ts";
import { AksGpuNodePool } from "./components/gpu-node-pool.ts";
import { aksEndpoint, aksKubeconfig, aksLoginPlugin } from "./components/kubeconfig.ts";
import { agentPoolReplacingFields } from "./components/replacing-fields.ts";
import type { ComponentOptions } from "../../components/transform.ts";
import type { AksCluster } from "./config/cluster.ts";
import type { AksPool } from "./config/pool.ts";
import { guardPools } from "../../guards/guard-pools.ts";
import { checkAksAccount } from "./availability.ts";
import { aksReadings } from "./readings.ts";
import type { CloudProgram, MadeClusterAccess } from "../cloud-program.ts";
import { failOnProblems } from "../fail-on-problems.ts";
import { isExecutable } from "../../platform/kubeconfig.ts";

export const aksPlatform: CloudProgram<"aks"> = async ({ cluster, pools }, { env, allowReplace }) => {
  if (!(await isExecutable(aksLoginPlugin, env))) {
    throw new RunError(
      `${aksLoginPlugin}, which kubectl and Pulumi log in to AKS with, is not on PATH: install it (az aks install-cli)`,
    );
  }
  const guarded = pools.map((pool) => ({
    name: pool.name,
    args: { ...agentPoolFacts(pool, cluster) },
    fields: agentPoolReplacingFields,
  }));
  const poolRecords = await guardPools(guarded, allowReplace);
  const provider = new AzureProvider("azure", {
    subscriptionId: cluster.subscription,
    location: cluster.location,
    ...(cluster.tenant === undefined ? {} : { tenantId: cluster.tenant }),
  });
  await failOnProblems("the subscription", await checkAksAccount(cluster, pools, aksReadings({ provider })));
  return { ...register(cluster, pools, provider), poolRecords };
};

function register(
  cluster: AksCluster,
  pools: readonly AksPool[],
  provider: AzureProvider,
): MadeClusterAccess {
  const controlPlane = new AksControlPlane("cluster", { cluster }, { provider });
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
  });
  // Not after the drivers: a driver that does not come up must not delay taking the capacity.
  const gpuPool = (pool: AksPool) =>
    new AksGpuNodePool(pool.name, { pool, cluster, subnetId }, { provider, dependsOn: [controlPlane] });
  pools.forEach(gpuPool);
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
