// What EKS and EC2 would refuse, or worse, accept and never fill: told before anything is asked of them, each with what
// to write instead.
import type { ConfigurationProblem } from "../../../config/problem.ts";
import { gpuOperatorProblems } from "../../gpu-operator.ts";
import { minorOf, tooOld } from "../../kubernetes-version.ts";
import type { EksCluster } from "./cluster.ts";
import { efaDevices, placementOf } from "./pool.ts";
import type { EksPool } from "./pool.ts";
import { isSamePrincipal } from "./principals.ts";

/**
 * Families that capacity blocks are sold of, of those in the catalog.
 * Source: docs.aws.amazon.com/pcs/latest/userguide/capacity-blocks.html, Limitations.
 */
const blockFamilies: readonly string[] = ["p4d", "p5", "p5e", "p5en", "p6-b200"];

/** The rules across fields of a cluster and its pools. Parts that could not be read are undefined. */
export function eksProblems(
  cluster: EksCluster | undefined,
  pools: readonly (EksPool | undefined)[],
): readonly ConfigurationProblem[] {
  return [
    ...(cluster === undefined ? [] : clusterProblems(cluster)),
    ...gpuOperatorProblems(
      pools,
      ({ driver }) => driver !== "gpuOperator",
      (operated) =>
        `${operated} has the GPU Operator, whose device plugin would run here beside NVIDIA's own: write gpuOperator in both, or image in both`,
    ),
    ...pools.flatMap((pool, index) => {
      if (pool === undefined) return [];
      const path = `pools[${index}]`;
      return [
        ...nameProblems(pool, path),
        ...versionProblems(pool, path, cluster),
        ...zoneProblems(pool, path, cluster),
        ...fabricProblems(pool, path),
        ...sizeProblems(pool, path, cluster),
        ...blockProblems(pool, path),
      ];
    }),
  ];
}

function clusterProblems({
  version,
  region,
  network,
  administrators,
  systemPool,
}: EksCluster): readonly ConfigurationProblem[] {
  const problems = [
    ...tooOld("cluster.version", version),
    ...twice(administrators),
    ...systemMachineProblems(systemPool.machineType),
  ];
  network.zones.forEach((zone, index) => {
    if (!zone.startsWith(region)) {
      problems.push({
        path: `cluster.network.zones[${index}]`,
        message: `${zone} is not in ${region}: write a zone of that region, such as ${region}a`,
      });
    } else if (network.zones.indexOf(zone) !== index) {
      problems.push({
        path: `cluster.network.zones[${index}]`,
        message: `${zone} is there already: write another zone, or leave it out`,
      });
    }
  });
  return problems;
}

/**
 * The image of the system nodes is of x86-64. Graviton's families have a g behind their generation.
 * Source: docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html.
 */
function systemMachineProblems(machineType: string): readonly ConfigurationProblem[] {
  if (!/^(?:[a-z]+\d+g[a-z]*(?:-\w+)?|a1)\./.test(machineType)) return [];
  return [
    {
      path: "cluster.systemPool.machineType",
      message: `${machineType} is of Arm, and the image of the system nodes of x86-64: write one such as m7i.xlarge`,
    },
  ];
}

/** EKS takes one access entry of a role or user, however it is written. */
function twice(administrators: readonly string[]): readonly ConfigurationProblem[] {
  return administrators.flatMap((arn, index) => {
    const first = administrators.findIndex((other) => isSamePrincipal(arn, other));
    if (first === index) return [];
    return [
      {
        path: `cluster.administrators[${index}]`,
        message: `it is the same as administrators[${first}]: leave one of them out`,
      },
    ];
  });
}

/** The node group and launch template of the system pool have this name. */
const systemPoolName = "system";

function nameProblems({ name }: EksPool, path: string): readonly ConfigurationProblem[] {
  if (name !== systemPoolName) return [];
  return [
    {
      path: `${path}.name`,
      message: "system is the pool without GPUs that every cluster has: write another name",
    },
  ];
}

function versionProblems(
  pool: EksPool,
  path: string,
  cluster: EksCluster | undefined,
): readonly ConfigurationProblem[] {
  return [...skewProblems(pool, path, cluster), ...releaseProblems(pool, path, cluster)];
}

/**
 * A release of the image is one of a version of Kubernetes, and EKS takes only one of the nodes' version.
 * Source: docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html, releaseVersion.
 */
function releaseProblems(
  { version, amiReleaseVersion: release }: EksPool,
  path: string,
  cluster: EksCluster | undefined,
): readonly ConfigurationProblem[] {
  const nodes = version ?? cluster?.version;
  if (release === undefined || nodes === undefined || minorOf(release) === minorOf(nodes)) return [];
  return [
    {
      path: `${path}.amiReleaseVersion`,
      message: `${release} is an image for Kubernetes 1.${minorOf(release)}, and the nodes have ${nodes}: write a release of ${nodes}, or version: "1.${minorOf(release)}" beside it`,
    },
  ];
}

/** Kubernetes' skew policy: a kubelet is not newer than its API server, and at most three minor versions older. */
function skewProblems(
  { version }: EksPool,
  path: string,
  cluster: EksCluster | undefined,
): readonly ConfigurationProblem[] {
  if (version === undefined || cluster === undefined) return [];
  const behind = minorOf(cluster.version) - minorOf(version);
  if (behind >= 0 && behind <= 3) return [];
  return [
    {
      path: `${path}.version`,
      message: `nodes may be up to three minor versions older than the control plane's ${cluster.version}, and no newer: write "${cluster.version}"`,
    },
  ];
}

function zoneProblems(
  pool: EksPool,
  path: string,
  cluster: EksCluster | undefined,
): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const known = cluster?.network.zones;
  pool.zones.forEach((zone, index) => {
    if (known !== undefined && !known.includes(zone)) {
      problems.push({
        path: `${path}.zones[${index}]`,
        message: `the network has no subnet in ${zone}: add it to cluster.network.zones, or write one of ${known.join(", ")}`,
      });
    }
  });
  const [first, ...others] = pool.zones;
  const reason = oneZoneReason(pool);
  if (others.length > 0 && reason !== undefined) {
    problems.push({ path: `${path}.zones`, message: `${reason}: write one zone, such as [${first}]` });
  }
  return problems;
}

/** Why a pool's nodes must all be in one zone, where they must. */
function oneZoneReason(pool: EksPool): string | undefined {
  if (pool.capacity.kind === "capacityBlock")
    return "a capacity block lies in one zone, and so must the pool";
  if (pool.capacity.kind === "reserved")
    return "a capacity reservation lies in one zone, and so must the pool";
  if (efaDevices(pool) > 0) return "EFA does not reach beyond a zone (without it, write efa: false)";
  if (placementOf(pool) !== "none") return "a cluster placement group lies in one zone";
  return undefined;
}

function fabricProblems(pool: EksPool, path: string): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  if (pool.efa === true && efaDevices(pool) === 0) {
    problems.push({
      path: `${path}.efa`,
      message: `${pool.machineShape} has no EFA: leave efa out, or write a machine that has it, such as p5.48xlarge`,
    });
  }
  if (pool.capacity.kind === "capacityBlock" && placementOf(pool) !== "none") {
    problems.push({
      path: `${path}.placementGroup`,
      message:
        "EC2 places the instances of a capacity block close together by itself: leave placementGroup out",
    });
  }
  // A reservation made in a placement group serves that group alone, and one made outside serves none.
  if (pool.capacity.kind === "reserved" && pool.placementGroup === "create") {
    problems.push({
      path: `${path}.placementGroup`,
      message:
        "no reservation is of a placement group that is yet to be made: leave it out, or write { name } of the group that the reservation was made in",
    });
  }
  return problems;
}

function sizeProblems(
  { nodes, capacity }: EksPool,
  path: string,
  cluster: EksCluster | undefined,
): readonly ConfigurationProblem[] {
  if (capacity.kind === "capacityBlock" || cluster?.autoscaler !== "none" || nodes.min === nodes.max)
    return [];
  return [
    {
      path: `${path}.nodes.min`,
      message: `EKS adds no node by itself: write ${nodes.max}, or cluster.autoscaler clusterAutoscaler where you run one`,
    },
  ];
}

function blockProblems(
  { capacity, nodes, machineShape }: EksPool,
  path: string,
): readonly ConfigurationProblem[] {
  if (capacity.kind !== "capacityBlock") return [];
  const problems: ConfigurationProblem[] = [];
  const [family = machineShape] = machineShape.split(".");
  if (!blockFamilies.includes(family)) {
    problems.push({
      path: `${path}.machineShape`,
      message: `capacity blocks are sold of ${blockFamilies.join(", ")}, not of ${family}: write such a machine, or capacity onDemand`,
    });
  }
  if (nodes.min > 0) {
    problems.push({
      path: `${path}.nodes.min`,
      message:
        "a block has no node before it starts, and none from 30 minutes before it ends: write 0; within it the pool has nodes.max",
    });
  }
  return problems;
}
