// The platform of a stack on Elastic Kubernetes Service: network, cluster, drivers, and last the pools of GPU nodes,
// which are billed from creation, so they come last.
import { RunError, log, output } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import { Provider as AwsProvider } from "@pulumi/aws/provider.js";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider.js";
import type { EksCluster } from "./config/cluster.ts";
import { efaDevices } from "./config/pool.ts";
import type { EksPool } from "./config/pool.ts";
import { withoutSession } from "./config/principals.ts";
import { EksControlPlane, creatorTag } from "./components/cluster.ts";
import { EfaSecurityGroup } from "./components/efa-security-group.ts";
import { EksGpuDrivers } from "./components/gpu-drivers.ts";
import { EksGpuNodePool } from "./components/gpu-node-pool.ts";
import { eksKubeconfig, eksLoginPlugin } from "./components/kubeconfig.ts";
import { EksNetwork } from "./components/network.ts";
import { isProtected } from "../../config/capacity.ts";
import { guardedPool } from "./guarded-pool.ts";
import { guardPools } from "../../guards/guard-pools.ts";
import type { PoolGuard } from "../../guards/guard-pools.ts";
import type { CloudProgram, MadeClusterAccess } from "../cloud-program.ts";
import { checkEksAccount } from "./availability.ts";
import type { ClusterFacts, EksReadings } from "./availability.ts";
import { eksReadings } from "./readings.ts";
import { failOnProblems } from "../fail-on-problems.ts";
import { wordsOf } from "../reading-failure.ts";
import { isExecutable } from "../../platform/kubeconfig.ts";

export const eksPlatform: CloudProgram<"eks"> = async ({ cluster, pools }, { env, ...guarding }) => {
  if (!(await isExecutable(eksLoginPlugin, env))) {
    throw new RunError(
      "the AWS CLI, which kubectl and Pulumi log in to EKS with, is not on PATH as aws: install it",
    );
  }
  const now = new Date();
  const guard = await guardPools(
    pools.map((pool) => guardedPool(cluster, pool, now)),
    guarding,
  );
  const provider = new AwsProvider("aws", {
    region: cluster.region,
    ...(cluster.profile === undefined ? {} : { profile: cluster.profile }),
  });
  const readings = eksReadings({ provider });
  const known = await knownCluster(cluster, readings);
  await failOnProblems("the account", await checkEksAccount(cluster, pools, readings, known.existing));
  return register({ cluster, pools, provider, now, guard, creator: known.creator });
};

/**
 * The cluster, where it is there, and who has made it: who asks, where it is yet to be made. Of one that an older
 * version of this program made, that is not known.
 */
async function knownCluster(
  { name }: EksCluster,
  readings: Pick<EksReadings, "cluster" | "caller">,
): Promise<{ readonly existing?: ClusterFacts; readonly creator: string | undefined }> {
  try {
    const existing = await readings.cluster(name);
    if (existing !== undefined) return { existing, creator: existing.tags[creatorTag] };
    return { creator: withoutSession(await readings.caller()) };
  } catch (error) {
    await log.warn(
      `whether the cluster ${name} is there, and who asks, could not be read: ${wordsOf(error)}`,
    );
    return { creator: undefined };
  }
}

interface Registration {
  readonly cluster: EksCluster;
  readonly pools: readonly EksPool[];
  readonly provider: AwsProvider;
  readonly now: Date;
  readonly guard: PoolGuard;
  readonly creator: string | undefined;
}

function register({ cluster, pools, provider, now, guard, creator }: Registration): MadeClusterAccess {
  const network = new EksNetwork("network", { cluster }, { provider });
  const controlPlane = new EksControlPlane(
    "cluster",
    { cluster, network, creator, protect: pools.some(isProtected) },
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
      dependsOn: [...controlPlane.ready],
      deletedWith: controlPlane.cluster,
    },
  );
  const efa = new EfaSecurityGroup(
    "efa",
    { name: `${name}-efa`, vpcId: network.vpcId, tags: cluster.tags },
    { provider },
  );
  const gpuPools = pools.map((pool) => {
    const gpuPool = new EksGpuNodePool(
      pool.name,
      {
        pool,
        cluster,
        clusterResource: controlPlane.cluster,
        now,
        nodeRoleArn: controlPlane.nodeRoleArn,
        clusterSecurityGroupId: controlPlane.securityGroupId,
        efaSecurityGroupId: efa.securityGroupId,
        subnetIds: subnetsOf(network, pool),
      },
      { provider, dependsOn: [...controlPlane.ready, drivers] },
    );
    guard.remember(pool.name, gpuPool.nodeGroup);
    return gpuPool;
  });
  controlPlane.letIn(gpuPools);
  return { kubeconfig, context: output(name), server: controlPlane.endpoint };
}

const subnetsOf = ({ subnets }: EksNetwork, { zones }: EksPool): readonly Output<string>[] =>
  zones.flatMap((zone) => {
    const subnet = subnets.get(zone);
    return subnet === undefined ? [] : [subnet.id];
  });
