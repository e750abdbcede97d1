// What Google Cloud says of a project before anything is made: its quota of GPUs, its reservations.
import type { InvokeOptions } from "@pulumi/pulumi";
import { getSQuotaInfo } from "@pulumi/gcp/cloudquota/getSQuotaInfo.js";
import { getReservation } from "@pulumi/gcp/compute/getReservation.js";

/** A reservation, as far as a pool has to fit it. */
export interface ReservationReading {
  readonly machineType: string;
  readonly count: number;
  /** Whether only who names it gets of it. */
  readonly specific: boolean;
  readonly status: string;
}

export interface GkeReadings {
  /** GPUs of a family that the project may have in a region; Infinity without a limit, undefined where none is said. */
  gpuQuota(project: string, region: string, family: string): Promise<number | undefined>;
  reservation(project: string, zone: string, name: string): Promise<ReservationReading>;
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
      const read = await getReservation({ project, zone, name }, options);
      const [held] = read.specificReservations;
      return {
        machineType: held?.instanceProperties[0]?.machineType ?? "",
        count: held?.count ?? 0,
        specific: read.specificReservationRequired,
        status: read.status,
      };
    },
  };
}
