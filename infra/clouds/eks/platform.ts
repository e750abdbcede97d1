// The platform of a stack on Elastic Kubernetes Service: network, cluster, drivers, and last the pools of GPU nodes,
// which are billed from creation, so they come last.
import { RunError, output } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { Provider as AwsProvider } from "@pulumi/aws/provider.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import type { EksCluster } from "./config/cluster.ts";
import { efaDevices } from "./config/pool.ts";
import type { EksPool } from "./config/pool.ts";
import { EksControlPlane } from "./components/cluster.ts";
import { EfaSecurityGroup } from "./components/efa-security-group.ts";
import { EksGpuDrivers } from "./components/gpu-drivers.ts";
import { EksGpuNodePool } from "./components/gpu-node-pool.ts";
import { eksKubeconfig, eksLoginPlugin } from "./components/kubeconfig.ts";
import { EksNetwork } from "./components/network.ts";
import { nodeGroupFacts } from "./components/gpu-node-group.ts";
import { nodeGroupReplacingFields } from "./components/replacing-fields.ts";
import { guardPools } from "../../guards/guard-pools.ts";
import type { GuardedPool } from "../../guards/guard-pools.ts";
import type { CloudProgram, MadeClusterAccess } from "../cloud-program.ts";
import { checkEksAccount } from "./availability.ts";
import { eksReadings } from "./readings.ts";
import { failOnProblems } from "../fail-on-problems.ts";
import { isExecutable } from "../../platform/kubeconfig.ts";

export const eksPlatform: CloudProgram<"eks"> = async ({ cluster, pools }, { env, allowReplace }) => {
  if (!(await isExecutable(eksLoginPlugin, env))) {
    throw new RunError(
      "the AWS CLI, which kubectl and Pulumi log in to EKS with, is not on PATH as aws: install it",
    );
  }
  const now = new Date();
  const poolRecords = await guardPools(
    pools.map((pool) => guardedPool(cluster, pool, now)),
    allowReplace,
  );
  const provider = new AwsProvider("aws", {
    region: cluster.region,
    ...(cluster.profile === undefined ? {} : { profile: cluster.profile }),
  });
  await failOnProblems("the account", await checkEksAccount(pools, eksReadings({ provider })));
  return { ...register(cluster, pools, provider, now), poolRecords };
};

/**
 * A pool as the guard sees it. Its subnets are known only to AWS; they change with its zones. A machine is the launch
 * template's matter, whose new version ends every node.
 */
const guardedPool = (cluster: EksCluster, pool: EksPool, now: Date): GuardedPool => ({
  name: pool.name,
  args: {
    ...nodeGroupFacts(cluster, pool, now),
    subnetIds: pool.zones,
    launchTemplate: { instanceType: pool.machineShape },
  },
  fields: nodeGroupReplacingFields,
});

function register(
  cluster: EksCluster,
  pools: readonly EksPool[],
  provider: AwsProvider,
  now: Date,
): MadeClusterAccess {
  const network = new EksNetwork("network", { cluster }, { provider });
  const controlPlane = new EksControlPlane(
    "cluster",
    { cluster, network },
    // Nodes join, and pull images, through the routes out.
    { provider, dependsOn: [network] },
  );
  const { name, region, profile } = cluster;
  const kubeconfig = controlPlane.endpoint.apply((endpoint) =>
    controlPlane.certificateAuthority.apply((certificateAuthority) =>
      eksKubeconfig({
        name,
        region,
        endpoint,
        certificateAuthority,
        ...(profile === undefined ? {} : { profile }),
      }),
    ),
  );
  const drivers = new EksGpuDrivers(
    "gpu-drivers",
    {
      driver: pools[0]?.driver ?? "image",
      efa: pools.some((pool) => efaDevices(pool) > 0),
    },
    {
      provider: new KubernetesProvider("cluster", { kubeconfig, clusterIdentifier: controlPlane.endpoint }),
      dependsOn: [controlPlane],
    },
  );
  const efa = new EfaSecurityGroup(
    "efa",
    { name: `${name}-efa`, vpcId: network.vpcId, tags: cluster.tags },
    { provider },
  );
  const gpuPool = (pool: EksPool) =>
    new EksGpuNodePool(
      pool.name,
      {
        pool,
        cluster,
        now,
        nodeRoleArn: controlPlane.nodeRoleArn,
        clusterSecurityGroupId: controlPlane.securityGroupId,
        efaSecurityGroupId: efa.securityGroupId,
        subnetIds: subnetsOf(network, pool),
      },
      { provider, dependsOn: [controlPlane, drivers] },
    );
  pools.forEach(gpuPool);
  return { kubeconfig, context: output(name), server: controlPlane.endpoint };
}

const subnetsOf = ({ subnets }: EksNetwork, { zones }: EksPool): readonly Output<string>[] =>
  zones.flatMap((zone) => {
    const subnet = subnets.get(zone);
    return subnet === undefined ? [] : [subnet.id];
  });
