// What Google Cloud says of a project before anything is made: its regions and zones, what GKE and Compute Engine sell
// there, its networks, its quota of GPUs, its reservations.
import type { InvokeOptions } from "@pulumi/pulumi";
import { getSQuotaInfo } from "@pulumi/gcp/cloudquota/getSQuotaInfo.js";
import { getMachineTypes } from "@pulumi/gcp/compute/getMachineTypes.js";
import { getNetwork } from "@pulumi/gcp/compute/getNetwork.js";
import type { GetNetworkResult } from "@pulumi/gcp/compute/getNetwork.js";
import { getRegions } from "@pulumi/gcp/compute/getRegions.js";
import { getReservation } from "@pulumi/gcp/compute/getReservation.js";
import type { GetReservationResult } from "@pulumi/gcp/compute/getReservation.js";
import { getSubnetwork } from "@pulumi/gcp/compute/getSubnetwork.js";
import type { GetSubnetworkResult } from "@pulumi/gcp/compute/getSubnetwork.js";
import { getZones } from "@pulumi/gcp/compute/getZones.js";
import { getCluster } from "@pulumi/gcp/container/getCluster.js";
import { getEngineVersions } from "@pulumi/gcp/container/getEngineVersions.js";
import { ifThere } from "../reading-failure.ts";
import type { SoldVersions } from "./version-check.ts";

/** A reservation, as far as a pool has to fit it. */
export interface ReservationReading {
  readonly machineType: string;
  readonly count: number;
  /** Whether only who names it gets of it. */
  readonly specific: boolean;
  readonly status: string;
}

/** How a project is read; each rejects where it cannot be. */
export interface GkeReadings {
  /** GPUs of a family that the project may have in a region; Infinity without a limit, undefined where none is said. */
  gpuQuota(project: string, region: string, family: string): Promise<number | undefined>;
  reservation(project: string, zone: string, name: string): Promise<ReservationReading>;
  regions(project: string): Promise<readonly string[]>;
  zones(project: string, region: string): Promise<readonly string[]>;
  /** Whether a zone sells a machine type. */
  sells(project: string, zone: string, machineType: string): Promise<boolean>;
  versions(project: string, region: string, channel: string): Promise<SoldVersions>;
  /** Version of the control plane of a cluster; undefined where there is no such cluster. */
  clusterVersion(project: string, region: string, name: string): Promise<string | undefined>;
  /** Rejects where it is not there. Both take a name or a self link. */
  network(project: string, name: string): Promise<void>;
  subnetwork(project: string, region: string, name: string): Promise<void>;
}

/** The only quota that Hopper and later GPUs have. Source: docs.cloud.google.com/compute/resource-usage#gpu_quota. */
const gpuQuotaId = "GPUS-PER-GPU-FAMILY-per-project-region";

/** How Cloud Quotas writes "no limit". */
const unlimited = -1;

export function gkeReadings(options: InvokeOptions): GkeReadings {
  return {
    async gpuQuota(project, region, family) {
      const { dimensionsInfos } = await getSQuotaInfo(
        { parent: `projects/${project}`, service: "compute.googleapis.com", quotaId: gpuQuotaId },
        options,
      );
      // More specific ones come first.
      const found = dimensionsInfos.find(
        ({ dimensions, applicableLocations }) =>
          dimensions["gpu_family"] === family &&
          (dimensions["region"] ?? region) === region &&
          applicableLocations.includes(region),
      );
      const value = found?.details[0]?.value;
      if (value === undefined || value === "") return undefined;
      return Number(value) === unlimited ? Infinity : Number(value);
    },
    async reservation(project, zone, name) {
      // The provider answers with nothing but the name where there is none: data_source_google_compute_reservation.go
      // of hashicorp/terraform-provider-google reads as the resource does, which takes a 404 for "is gone".
      const read: Partial<GetReservationResult> = await getReservation({ project, zone, name }, options);
      const [held] = read.specificReservations ?? [];
      const status = read.status ?? "";
      if (held === undefined && status === "") throw notFound("reservation", name);
      return {
        machineType: held?.instanceProperties[0]?.machineType ?? "",
        count: held?.count ?? 0,
        specific: read.specificReservationRequired ?? false,
        status,
      };
    },
    regions: async (project) => (await getRegions({ project }, options)).names,
    zones: async (project, region) => (await getZones({ project, region }, options)).names,
    async sells(project, zone, machineType) {
      const filter = `name = "${machineType}"`;
      return (await getMachineTypes({ project, zone, filter }, options)).machineTypes.length > 0;
    },
    async versions(project, region, channel) {
      const read = await getEngineVersions({ project, location: region }, options);
      return {
        valid: read.validMasterVersions,
        channelDefault: read.releaseChannelDefaultVersion[channel],
        channelLatest: read.releaseChannelLatestVersion[channel],
      };
    },
    async clusterVersion(project, location, name) {
      const read = await ifThere(async () => getCluster({ project, location, name }, options));
      return read?.masterVersion === "" ? undefined : read?.masterVersion;
    },
    async network(project, name) {
      const read: Partial<GetNetworkResult> = await getNetwork(networkOf(project, name), options);
      if ((read.selfLink ?? "") === "") throw notFound("network", name);
    },
    async subnetwork(project, region, name) {
      const args = name.includes("/") ? { selfLink: name } : { project, region, name };
      const read: Partial<GetSubnetworkResult> = await getSubnetwork(args, options);
      if ((read.ipCidrRange ?? "") === "") throw notFound("subnetwork", name);
    },
  };
}

const notFound = (kind: string, name: string): Error => new Error(`the ${kind} ${name} was not found`);

/** Project and name of `n`, or of `…/projects/p/global/networks/n`. */
function networkOf(own: string, link: string): { readonly project: string; readonly name: string } {
  const [, project = own, name = link] = /projects\/([^/]+)\/global\/networks\/([^/]+)$/.exec(link) ?? [];
  return { project, name };
}
