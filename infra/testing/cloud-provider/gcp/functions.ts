// What programs ask Google Cloud before they make anything.

import { type PropertyMap, textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudFunction } from "../cloud.ts";
import { gpuShape } from "./machines.ts";
import { locationOf, projectOf, regionOf } from "./names.ts";
import { usedOf } from "./node-pool-refusals.ts";
import { defaultVersion, zonesOf } from "./places.ts";

const getReservation: CloudFunction = (args, cloud) => {
  const [name, zone] = [textOf(args["name"]), textOf(args["zone"])];
  const id = `projects/${projectOf(args, cloud)}/zones/${zone}/reservations/${name}`;
  const found = cloud.account.reservations?.find((each) => each.name === name && each.zone === zone);
  if (found === undefined) {
    throw new Error(`googleapi: Error 404: The resource '${id}' was not found, notFound`);
  }
  const shape = gpuShape(found.machineType);
  return {
    id,
    name,
    zone,
    project: projectOf(args, cloud),
    selfLink: `https://www.googleapis.com/compute/v1/${id}`,
    status: "READY",
    specificReservationRequired: true,
    blockNames: [],
    reservationBlockCount: 0,
    specificReservations: [
      {
        count: found.count,
        assuredCount: found.count,
        inUseCount: usedOf(found, cloud),
        sourceInstanceTemplate: "",
        instanceProperties: [
          {
            machineType: found.machineType,
            minCpuPlatform: "",
            locationHint: "",
            maintenanceInterval: "",
            localSsds: [],
            guestAccelerators:
              shape === undefined
                ? []
                : [{ acceleratorType: shape.gpu, acceleratorCount: shape.gpusPerNode }],
          },
        ],
      },
    ],
  };
};

const getEngineVersions: CloudFunction = (args, cloud) => ({
  id: new Date(0).toISOString(),
  location: locationOf(args, cloud),
  project: projectOf(args, cloud),
  defaultClusterVersion: defaultVersion,
  latestMasterVersion: defaultVersion,
  latestNodeVersion: defaultVersion,
  validMasterVersions: [defaultVersion],
  validNodeVersions: [defaultVersion],
  releaseChannelDefaultVersion: channels(),
  releaseChannelLatestVersion: channels(),
  releaseChannelUpgradeTargetVersion: channels(),
});

const channels = (): PropertyMap =>
  Object.fromEntries(["RAPID", "REGULAR", "STABLE", "EXTENDED"].map((channel) => [channel, defaultVersion]));

const getZones: CloudFunction = (args, cloud) => ({
  id: `projects/${projectOf(args, cloud)}/regions/${regionOf(args, cloud)}`,
  project: projectOf(args, cloud),
  region: regionOf(args, cloud),
  names: zonesOf(regionOf(args, cloud), 4),
});

/** Quotas of GPUs of a family in a region: `NVIDIA_H100@us-central1` in the account. */
const getQuotaInfo: CloudFunction = (args, { account }) => {
  const [parent, quotaId, service] = [
    textOf(args["parent"]),
    textOf(args["quotaId"]),
    textOf(args["service"]),
  ];
  const name = `${parent}/locations/global/services/${service}/quotaInfos/${quotaId}`;
  const isGpuFamily = quotaId === "GPUS-PER-GPU-FAMILY-per-project-region";
  return {
    id: name,
    name,
    parent,
    quotaId,
    service,
    containerType: "PROJECT",
    dimensions: ["gpu_family", "region"],
    dimensionsInfos: Object.entries(isGpuFamily ? (account.quotas ?? {}) : {}).map(([quota, value]) => {
      const [family = "", region = ""] = quota.split("@");
      return {
        dimensions: { gpu_family: family, region },
        details: [{ value: String(value) }],
        applicableLocations: [region],
      };
    }),
    isConcurrent: false,
    isFixed: false,
    isPrecise: true,
    metric: "compute.googleapis.com/gpus_per_gpu_family",
    metricDisplayName: "GPUs per GPU family",
    metricUnit: "1",
    quotaDisplayName: "GPUs per GPU family per project per region",
    quotaIncreaseEligibilities: [{ isEligible: true, ineligibilityReason: "" }],
    refreshInterval: "",
    serviceRequestQuotaUri: "",
  };
};

const getProject: CloudFunction = (args, cloud) => {
  const projectId = textOf(args["projectId"]) || projectOf({}, cloud);
  return { id: `projects/${projectId}`, projectId, name: projectId, number: "123456789012", labels: {} };
};

export const functions: Readonly<Record<string, CloudFunction>> = {
  "gcp:compute/getReservation:getReservation": getReservation,
  "gcp:compute/getZones:getZones": getZones,
  "gcp:container/getEngineVersions:getEngineVersions": getEngineVersions,
  "gcp:cloudquota/getSQuotaInfo:getSQuotaInfo": getQuotaInfo,
  "gcp:organizations/getProject:getProject": getProject,
};
