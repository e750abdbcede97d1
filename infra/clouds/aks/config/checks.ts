// AKS's rules across fields. Each message says what to write instead; what Azure documents is cited where it is checked.
import { findGpu, findMachineShape } from "@llama-operator/llama/catalog";
import type { ConfigurationProblem } from "../../../config/problem.ts";
import { gpuOperatorProblems } from "../../gpu-operator.ts";
import { minorOf, tooOld } from "../../kubernetes-version.ts";
import { networkProblems } from "./address-ranges.ts";
import type { AksCluster } from "./cluster.ts";
import type { AksPool } from "./pool.ts";

/** The feature that puts the nodes of a pool on one InfiniBand fabric. Source: azure.github.io/aks-rdma-infiniband. */
export const infinibandFeature = {
  providerNamespace: "Microsoft.ContainerService",
  name: "AKSInfinibandSupport",
} as const;

/** Name of the pool that the cluster is made with. */
export const systemPoolName = "system";

export function aksProblems(
  cluster: AksCluster | undefined,
  pools: readonly (AksPool | undefined)[],
): readonly ConfigurationProblem[] {
  return [
    ...(cluster === undefined
      ? []
      : [
          ...tooOld("cluster.kubernetesVersion", cluster.kubernetesVersion),
          ...networkProblems(cluster, pools),
        ]),
    ...pools.flatMap((pool, index) =>
      pool === undefined
        ? []
        : [
            ...nameProblems(pool, `pools[${index}]`),
            ...machineProblems(pool, `pools[${index}]`),
            ...infinibandProblems(pool, `pools[${index}]`),
            ...capacityProblems(pool, `pools[${index}]`, cluster),
            ...versionProblems(pool, `pools[${index}]`, cluster),
          ],
    ),
    ...gpuOperatorProblems(
      pools,
      ({ driver, infiniband }) => driver === "install" && !infiniband,
      (operated) =>
        `${operated} takes its driver from the GPU Operator, which would put a second one here: write gpuOperator in both, or install in both`,
    ),
  ];
}

function nameProblems({ name }: AksPool, path: string): readonly ConfigurationProblem[] {
  if (name !== systemPoolName) return [];
  return [
    { path: `${path}.name`, message: `${name} is the pool that the cluster is made with: write another` },
  ];
}

/** AKS installs NVIDIA's driver alone, and this stack NVIDIA's device plugin. */
function machineProblems({ machineShape }: AksPool, path: string): readonly ConfigurationProblem[] {
  const gpu = findMachineShape(machineShape)?.gpu ?? "";
  if (findGpu(gpu)?.vendor === "nvidia") return [];
  return [
    {
      path: `${path}.machineShape`,
      message: `${machineShape} has ${gpu}, and this stack installs NVIDIA's driver and device plugin: make that pool yourself, and use cluster.kind kubeconfig`,
    },
  ];
}

function infinibandProblems(pool: AksPool, path: string): readonly ConfigurationProblem[] {
  if (!pool.infiniband) return [];
  const problems: ConfigurationProblem[] = [];
  if (findMachineShape(pool.machineShape)?.fabric.type !== "infiniband") {
    problems.push({
      path: `${path}.infiniband`,
      message: `${pool.machineShape} has no InfiniBand: write false, or a machine of the ND series such as Standard_ND96isr_H100_v5`,
    });
  }
  // AKS's image has nvidia-peermem, through which NICs read GPU memory, and does not load it by default; the GPU Operator's
  // driver does. Sources: azure.github.io/aks-rdma-infiniband/configurations/gpu-drivers; Azure/AgentBaker pull request 6315.
  if (pool.driver !== "gpuOperator") {
    problems.push({
      path: `${path}.driver`,
      message:
        "InfiniBand between GPUs needs nvidia-peermem, which AKS does not load by default: write gpuOperator",
    });
  }
  if ((pool.zones?.length ?? 0) > 1) {
    problems.push({
      path: `${path}.zones`,
      message: "one InfiniBand fabric lies in one zone: write one, and another pool for the other",
    });
  }
  return problems;
}

function capacityProblems(
  { capacity, nodes, zones }: AksPool,
  path: string,
  cluster: AksCluster | undefined,
): readonly ConfigurationProblem[] {
  switch (capacity.kind) {
    case "onDemand":
      return [];
    case "spot":
      // Source: learn.microsoft.com/azure/aks/spot-node-pool: without an autoscaler the pool falls to no node.
      if (nodes.max > nodes.min) return [];
      return [
        {
          path: `${path}.nodes.max`,
          message: `evicted spot nodes come back only through the autoscaler: write more than nodes.min ${nodes.min}`,
        },
      ];
    case "reserved":
      return reservedProblems(capacity.zone, zones, path, cluster);
    default:
      return capacity satisfies never;
  }
}

function reservedProblems(
  reservationZone: string | undefined,
  zones: AksPool["zones"],
  path: string,
  cluster: AksCluster | undefined,
): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  if (zones !== undefined && (zones.length !== 1 || zones[0] !== reservationZone)) {
    problems.push({
      path: `${path}.zones`,
      message:
        reservationZone === undefined
          ? "the pool lies where its reservation does: leave zones out, or write capacity.zone"
          : `the pool lies where its reservation does: leave zones out, or write ["${reservationZone}"]`,
    });
  }
  // Source: learn.microsoft.com/azure/aks/use-capacity-reservation-groups, prerequisites.
  if (cluster !== undefined && cluster.identity === undefined) {
    problems.push({
      path: "cluster.identity",
      message:
        "reserved pools need an identity of yours: make a user-assigned one, give it the role Contributor on the resource group of the reservation (up to an hour until that holds), and write its id",
    });
  }
  return problems;
}

/** Source: learn.microsoft.com/azure/aks/manage-node-pools, Validation rules for upgrades. */
function versionProblems(
  { kubernetesVersion }: AksPool,
  path: string,
  cluster: AksCluster | undefined,
): readonly ConfigurationProblem[] {
  if (kubernetesVersion === undefined || cluster === undefined) return [];
  const behind = minorOf(cluster.kubernetesVersion) - minorOf(kubernetesVersion);
  if (behind >= 0 && behind <= 2) return [];
  const range = `1.${minorOf(cluster.kubernetesVersion) - 2} to ${cluster.kubernetesVersion}`;
  return [
    {
      path: `${path}.kubernetesVersion`,
      message: `nodes are as new as the cluster, or up to two minors older: write ${range}`,
    },
  ];
}
