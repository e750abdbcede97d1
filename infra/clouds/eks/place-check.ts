// Whether what a stack names is there: region, zones, administrators, versions of Kubernetes, releases of the nodes' image.
import { compareVersions, minorOf, minorsToWrite } from "../kubernetes-version.ts";
import { checked, problemsOf, together } from "../account-check.ts";
import type { AccountCheck } from "../account-check.ts";
import type { EksReadings, ZoneFacts } from "./availability.ts";
import type { EksCluster } from "./config/cluster.ts";
import type { EksPool } from "./config/pool.ts";
import { principalOf } from "./config/principals.ts";

/** Whether AWS has the region, which the provider knows without asking. */
export async function checkRegion(
  { region }: EksCluster,
  readings: Pick<EksReadings, "region">,
): Promise<AccountCheck> {
  const missing = `cluster.region: AWS has no region ${region}: write one that there is, such as us-east-1`;
  return problemsOf({ what: `the region ${region}`, missing }, async () => {
    await readings.region(region);
    return [];
  });
}

/**
 * Zones that EKS puts no control plane in, by the ids that are alike in all accounts; their letters are not.
 * Source: docs.aws.amazon.com/eks/latest/userguide/network-reqs.html, Subnet requirements for clusters.
 */
const withoutControlPlane: readonly string[] = ["use1-az3", "usw1-az2", "cac1-az3"];

/** Whether the account has the zones, and EKS takes them for a cluster. */
export async function checkZones(
  { region, network }: EksCluster,
  readings: Pick<EksReadings, "zones">,
): Promise<AccountCheck> {
  return problemsOf({ what: `the zones of ${region}` }, async () => {
    const known = await readings.zones();
    const takes = known.filter(({ id }) => !withoutControlPlane.includes(id)).map(({ name }) => name);
    return network.zones.flatMap((zone, index) => {
      const message = zoneProblem(zone, region, known);
      if (message === undefined) return [];
      return [`cluster.network.zones[${index}]: ${message}: write others, of ${takes.join(", ")}`];
    });
  });
}

function zoneProblem(zone: string, region: string, known: readonly ZoneFacts[]): string | undefined {
  const found = known.find(({ name }) => name === zone);
  if (found === undefined) return `the account has no zone ${zone} in ${region}`;
  return withoutControlPlane.includes(found.id)
    ? `EKS has no control plane in ${zone}, which is ${found.id}, and takes no subnet of it for a cluster`
    : undefined;
}

/** Whether administrators are there, of which EKS takes no other: those of the account alone can be looked up. */
export async function checkAdministrators(
  { administrators }: EksCluster,
  readings: Pick<EksReadings, "caller" | "principal">,
): Promise<AccountCheck> {
  if (administrators.length === 0) return { problems: [], warnings: [] };
  return checked({ what: "who asks" }, async () => {
    const account = principalOf(await readings.caller())?.account;
    const found = administrators.map(async (arn, index) => {
      const principal = principalOf(arn);
      if (principal === undefined || principal.account !== account) return { problems: [], warnings: [] };
      const missing = `cluster.administrators[${index}]: write a role or user that the account has`;
      return problemsOf({ what: `the ${principal.kind} ${principal.name}`, missing }, async () => {
        await readings.principal(principal.kind, principal.name);
        return [];
      });
    });
    return together(await Promise.all(found));
  });
}

/** Whether EKS sells the versions; a cluster that is there goes up by one minor at a time, and never down. */
export async function checkVersions(
  { version }: EksCluster,
  pools: readonly EksPool[],
  existing: string | undefined,
  readings: Pick<EksReadings, "versions">,
): Promise<AccountCheck> {
  if (existing !== undefined && minorOf(existing) === minorOf(version)) return { problems: [], warnings: [] };
  return problemsOf({ what: "the versions that EKS sells" }, async () => {
    const sold = await readings.versions();
    const asked = [
      ["cluster.version", version] as const,
      ...pools.flatMap((pool, index) =>
        pool.version === undefined ? [] : [[`pools[${index}].version`, pool.version] as const],
      ),
    ];
    return [
      ...asked.flatMap(([path, wanted]) =>
        sold.some((each) => compareVersions(each, wanted) === 0)
          ? []
          : [`${path}: EKS sells no ${wanted}: write one of ${minorsToWrite(sold)}`],
      ),
      ...(existing === undefined ? [] : stepProblems(minorOf(existing), minorOf(version))),
    ];
  });
}

function stepProblems(running: number, wanted: number): readonly string[] {
  if (wanted < running) {
    return [`cluster.version: the cluster runs 1.${running}, and EKS does not go back: write "1.${running}"`];
  }
  return wanted > running + 1
    ? [
        `cluster.version: the cluster runs 1.${running}, and EKS goes up by one minor at a time: write "1.${running + 1}" first`,
      ]
    : [];
}

/** Whether there is an image of the release that a pool names. */
export async function checkImage(
  { amiReleaseVersion: release }: EksPool,
  index: number,
  readings: Pick<EksReadings, "images">,
): Promise<AccountCheck> {
  if (release === undefined) return { problems: [], warnings: [] };
  return problemsOf({ what: `the image of release ${release}` }, async () => {
    const [, minor = "", date = ""] = /^(1\.\d+)\.\d+-(\d+)$/.exec(release) ?? [];
    // As github.com/awslabs/amazon-eks-ami releases name it; older ones have the driver's branch before the version.
    const name = `amazon-eks-node-al2023-x86_64-nvidia-*${minor}-v${date}`;
    if ((await readings.images(name)).length > 0) return [];
    return [
      `pools[${index}].amiReleaseVersion: AWS has no image ${name}: write a release of github.com/awslabs/amazon-eks-ami, or leave it out for EKS' newest`,
    ];
  });
}
