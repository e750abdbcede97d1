// The platform of a stack on Google Kubernetes Engine: network, cluster, system nodes, fabric, and last the pools of GPU
// nodes, which are billed from creation, so they come last.
import { RunError, all, output } from "@pulumi/pulumi";
import { Provider as GcpProvider } from "@pulumi/gcp/provider.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import { GkeControlPlane } from "./components/cluster.ts";
import { GkeFabricNetworks, fabricName } from "./components/fabric-networks.ts";
import { GkeFabricObjects } from "./components/fabric-objects.ts";
import { GkeGpuNodePool } from "./components/gpu-node-pool.ts";
import { gpuNodePoolArgs } from "./components/gpu-node-pool-args.ts";
import type { NodeNetwork } from "./components/gpu-node-pool-args.ts";
import { GkeGpuOperator } from "./components/gpu-operator.ts";
import { gkeContext, gkeKubeconfig, gkeLoginPlugin } from "./components/kubeconfig.ts";
import { GkeNetwork } from "./components/network.ts";
import { GkeNodeIdentity } from "./components/node-identity.ts";
import { nodePoolReplacingFields } from "./components/replacing-fields.ts";
import { GkeSystemPool } from "./components/system-pool.ts";
import { systemPoolName } from "./config/cluster.ts";
import type { GkeCluster } from "./config/cluster.ts";
import { furtherNetworksOf } from "./config/machines.ts";
import type { GkePool } from "./config/pool.ts";
import { guardPools } from "../../guards/guard-pools.ts";
import type { GuardedPool } from "../../guards/guard-pools.ts";
import type { CloudProgram, MadeClusterAccess } from "../cloud-program.ts";
import { checkGkeAccount } from "./availability.ts";
import { gkeReadings } from "./readings.ts";
import { failOnProblems } from "../fail-on-problems.ts";
import { isExecutable } from "../../platform/kubeconfig.ts";

export const gkePlatform: CloudProgram<"gke"> = async ({ cluster, pools }, { env, allowReplace }) => {
  if (!(await isExecutable(gkeLoginPlugin, env))) {
    throw new RunError(
      `${gkeLoginPlugin}, by which kubectl, Helm and Pulumi log in to GKE, is not on PATH: install it with gcloud components install ${gkeLoginPlugin}`,
    );
  }
  const poolRecords = await guardPools(
    pools.map((pool) => guardedPool(cluster, pool)),
    allowReplace,
  );
  const { project, region } = cluster;
  const provider = new GcpProvider("gcp", { project, region });
  await failOnProblems("the project", await checkGkeAccount(cluster, pools, gkeReadings({ provider })));
  return { ...register(cluster, pools, provider), poolRecords };
};

/**
 * A pool as the guard sees it: what other resources will be called is known by the names that they are given. How many
 * nodes an autoscaler's pool begins with does not matter afterwards: a change of it is ignored.
 */
function guardedPool(cluster: GkeCluster, pool: GkePool): GuardedPool {
  const { initialNodeCount: _, ...args } = gpuNodePoolArgs(pool, {
    cluster,
    clusterId: cluster.name,
    serviceAccount: "",
    networks: networksOf(pool, namesOfFabric(cluster, interfacesOf(pool))),
  });
  return { name: pool.name, args, fields: nodePoolReplacingFields };
}

const namesOfFabric = (cluster: GkeCluster, count: number): readonly NodeNetwork[] =>
  Array.from({ length: count }, (_, index) => {
    const name = fabricName(cluster, index);
    return { network: name, subnetwork: name };
  });

function register(cluster: GkeCluster, pools: readonly GkePool[], provider: GcpProvider): MadeClusterAccess {
  const network = new GkeNetwork("network", { cluster }, { provider });
  const identity = new GkeNodeIdentity("nodes", { cluster }, { provider });
  const fabric = new GkeFabricNetworks("gpu", { cluster, count: fabricCount(pools) }, { provider });
  const controlPlane = new GkeControlPlane(
    "cluster",
    {
      cluster,
      network,
      multiNetwork: pools.some((pool) => pool.fabric?.kind === "multiNetwork"),
      serviceAccount: identity.email,
    },
    { provider, dependsOn: [network.nat, ...identity.grants] },
  );
  const access = accessOf(cluster, controlPlane);
  const place = { cluster, clusterId: controlPlane.clusterId, serviceAccount: identity.email };
  const system = new GkeSystemPool(systemPoolName, place, {
    provider,
    dependsOn: [network.nat, ...identity.grants],
  });
  const kubernetes = new KubernetesProvider("cluster", {
    kubeconfig: access.kubeconfig,
    context: access.context,
    clusterIdentifier: access.server,
  });
  const onCluster = { provider: kubernetes, dependsOn: [system] };
  const addOns = [
    ...(fabric.networks.length === 0
      ? []
      : [new GkeFabricObjects("fabric", { networks: fabric.networks }, onCluster)]),
    ...(pools.some(({ driver }) => driver === "gpuOperator")
      ? [new GkeGpuOperator("gpu-operator", {}, onCluster)]
      : []),
  ];
  pools.forEach(
    (pool) =>
      new GkeGpuNodePool(
        pool.name,
        { ...place, pool, networks: networksOf(pool, fabric.networks) },
        { provider, dependsOn: [system, fabric, ...addOns] },
      ),
  );
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

/** Networks that the stack makes: as many as the machine with the most interfaces has. */
function fabricCount(pools: readonly GkePool[]): number {
  return Math.max(0, ...pools.map((pool) => (isOwnFabric(pool) ? interfacesOf(pool) : 0)));
}

const interfacesOf = ({ machineShape }: GkePool): number => furtherNetworksOf(machineShape) ?? 0;

/** Whether a pool is in networks that the stack makes. */
const isOwnFabric = ({ fabric }: GkePool): boolean =>
  fabric?.kind === "multiNetwork" && fabric.networks === undefined;

function networksOf(pool: GkePool, made: readonly NodeNetwork[]): readonly NodeNetwork[] {
  if (pool.fabric?.kind !== "multiNetwork") return [];
  return (
    pool.fabric.networks ??
    made.slice(0, interfacesOf(pool)).map(({ network, subnetwork }) => ({ network, subnetwork }))
  );
}
