// Whether GKE sells the version that a new cluster asks for. It takes old ones away some weeks after they are
// deprecated, and would say so only when network and NAT are paid for.
import type { GkeCluster } from "./config/cluster.ts";
import { compareVersions, leastMinor, minorOf, minorsToWrite } from "../kubernetes-version.ts";
import { nothingFound } from "../account-check.ts";
import type { AccountCheck } from "../account-check.ts";

/** What GKE sells in a region. */
export interface SoldVersions {
  /** Of control planes, of all channels but what a channel has alone. */
  readonly valid: readonly string[];
  /** Of the cluster's channel: what it begins with, and its newest. */
  readonly channelDefault: string | undefined;
  readonly channelLatest: string | undefined;
}

/**
 * Judges the version of a cluster. One that is there already with that version or a newer one asks for nothing: GKE
 * upgrades by the channel, and the version written is the least.
 * Source: hashicorp/terraform-provider-google issue 22167 (No valid versions with the prefix), terraform-google-modules/
 * terraform-google-kubernetes-engine issue 2177 (must be one of the channel's).
 */
export function checkVersion(
  { version, releaseChannel, region }: Pick<GkeCluster, "version" | "releaseChannel" | "region">,
  sold: SoldVersions,
  existing: string | undefined,
): AccountCheck {
  const { valid, channelDefault, channelLatest } = sold;
  const ofChannel = [channelDefault, channelLatest].filter((each) => each !== undefined);
  const reachable = [...valid, ...ofChannel].filter(
    (each) => channelLatest === undefined || compareVersions(each, channelLatest) <= 0,
  );
  const write = minorsToWrite(reachable);
  if (version === undefined) {
    if (existing !== undefined || channelDefault === undefined || minorOf(channelDefault) >= leastMinor) {
      return nothingFound;
    }
    return problem(
      `the channel ${releaseChannel} begins with ${channelDefault} in ${region}, and the operator needs 1.${leastMinor}: write ${write === "" ? "another releaseChannel" : write}`,
    );
  }
  if (existing !== undefined && compareVersions(existing, version) >= 0) return nothingFound;
  if (reachable.some((each) => compareVersions(each, version) === 0)) return nothingFound;
  const has = `GKE sells no ${version} in ${region} in the channel ${releaseChannel}`;
  // Of versions that the channel keeps for longer than the others the provider has no list.
  if (
    releaseChannel === "EXTENDED" &&
    channelLatest !== undefined &&
    compareVersions(version, channelLatest) < 0
  ) {
    return {
      problems: [],
      warnings: [`cluster.version: whether ${version} is still in extended support cannot be read`],
    };
  }
  const range =
    ofChannel.length === 0 ? "" : ` (it has ${[...new Set(ofChannel)].join(" by default, at most ")})`;
  return problem(`${has}${range}: write ${write === "" ? "another releaseChannel" : `one of ${write}`}`);
}

const problem = (message: string): AccountCheck => ({
  problems: [`cluster.version: ${message}`],
  warnings: [],
});
