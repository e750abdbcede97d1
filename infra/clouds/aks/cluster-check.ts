// Whether AKS can make the cluster, or make what is there into it: versions that it sells, and what of a cluster it never
// changes, told before anything is asked of it, with the way to do it.
import { compareVersions, minorOf, minorsToWrite } from "../kubernetes-version.ts";
import { checked, nothingFound, problemsOf, together } from "../account-check.ts";
import type { AccountCheck } from "../account-check.ts";
import type { AksCluster } from "./config/cluster.ts";

/** A cluster that is there. */
export interface ExistingCluster {
  readonly version: string;
  /** The pool that it was made with, as far as AKS keeps it as it was made. */
  readonly systemPool: { readonly machine: string; readonly zones: readonly string[] } | undefined;
}

/** How a cluster and what AKS sells are read. */
export interface ClusterReadings {
  /** Undefined where there is no such cluster. */
  cluster(resourceGroup: string, name: string): Promise<ExistingCluster | undefined>;
  /** Versions that AKS sells in a location, minor ones and whole ones. */
  versions(subscription: string, location: string): Promise<readonly string[]>;
}

/** Judges the version, and where the cluster is there a change of what its system pool keeps. */
export async function checkCluster(cluster: AksCluster, readings: ClusterReadings): Promise<AccountCheck> {
  return checked({ what: `the cluster ${cluster.name}` }, async () => {
    const existing = await readings.cluster(cluster.resourceGroup, cluster.name);
    const kept =
      existing === undefined
        ? []
        : [...systemPoolProblems(cluster, existing), ...versionProblems(cluster, existing)];
    return together([{ problems: kept, warnings: [] }, await checkSold(cluster, existing, readings)]);
  });
}

/** A cluster that is there with the version, or a newer patch of it, is not asked for another. */
async function checkSold(
  { subscription, location, kubernetesVersion: wanted }: AksCluster,
  existing: ExistingCluster | undefined,
  readings: Pick<ClusterReadings, "versions">,
): Promise<AccountCheck> {
  if (existing !== undefined && compareVersions(existing.version, wanted) >= 0) return nothingFound;
  const subject = {
    what: `what AKS sells in ${location}`,
    missing:
      "cluster.location: write a region of Azure that has AKS, such as eastus, and as cluster.subscription one of yours",
  };
  return problemsOf(subject, async () => {
    const sold = await readings.versions(subscription, location);
    if (sold.some((each) => compareVersions(each, wanted) === 0 && each.length >= wanted.length)) return [];
    return [
      `cluster.kubernetesVersion: AKS sells no ${wanted} in ${location}: write one of ${minorsToWrite(sold)}`,
    ];
  });
}

/**
 * A pool keeps its machine and its zones. Source: learn.microsoft.com/azure/aks/manage-node-pools#resize-node-pools, which
 * makes a new pool; pulumi/pulumi-azure-native issue 1504. That AKS resizes a pool in place is a preview
 * (Azure/azure-cli-extensions pull request 9732, AgentPoolVMSSResize), which this stack does not use.
 */
function systemPoolProblems(
  { systemPool, resourceGroup, name }: AksCluster,
  { systemPool: running }: ExistingCluster,
): readonly string[] {
  if (running === undefined) return [];
  const { machine, zones } = systemPool;
  const another = (options: string): string =>
    `Or add a second system pool beside it, \`az aks nodepool add --mode System --name system2 ${options} --resource-group ${resourceGroup} --cluster-name ${name}\`, and scale this one down`;
  const problems: string[] = [];
  if (running.machine.toLowerCase() !== machine.toLowerCase()) {
    problems.push(
      `cluster.systemPool.machine: AKS keeps the machine of a pool: write ${running.machine} again. ${another(`--node-vm-size ${machine}`)}`,
    );
  }
  const here = running.zones.toSorted().join(", ");
  if (zones !== undefined && zones.toSorted().join(", ") !== here) {
    const again = here === "" ? "leave zones out" : `write [${here}] again`;
    problems.push(
      `cluster.systemPool.zones: AKS keeps the zones of a pool: ${again}. ${another(`--zones ${zones.join(" ")}`)}`,
    );
  }
  return problems;
}

/** Source: learn.microsoft.com/azure/aks/upgrade-aks-cluster: no minor is left out, and none is taken back. */
function versionProblems(
  { kubernetesVersion: wanted }: AksCluster,
  { version }: ExistingCluster,
): readonly string[] {
  const [running, asked] = [minorOf(version), minorOf(wanted)];
  if (asked < running) {
    return [
      `cluster.kubernetesVersion: the cluster runs ${version}, and AKS does not go back: write "1.${running}"`,
    ];
  }
  return asked > running + 1
    ? [
        `cluster.kubernetesVersion: the cluster runs ${version}, and AKS goes up by one minor at a time: write "1.${running + 1}" first`,
      ]
    : [];
}
