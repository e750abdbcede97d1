// What programs ask Google Cloud before they make anything.

import { type PropertyMap, textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudFunction } from "../cloud.ts";
import { gpuShape } from "./machines.ts";
import { lastPart, locationOf, projectOf, referred, regionOf, selfLink, types } from "./names.ts";
import { usedOf } from "./node-pool-refusals.ts";
import { regions, soldVersions, zonesOf } from "./places.ts";

const getReservation: CloudFunction = (args, cloud) => {
  const [name, zone] = [textOf(args["name"]), textOf(args["zone"])];
  const id = `projects/${projectOf(args, cloud)}/zones/${zone}/reservations/${name}`;
  const found = cloud.account.reservations?.find((each) => each.name === name && each.zone === zone);
  // The provider reads it as its resource does, which takes a 404 for "is gone" and says nothing:
  // hashicorp/terraform-provider-google, google/services/compute/data_source_google_compute_reservation.go.
  if (found === undefined) {
    return { id, name, zone, project: projectOf(args, cloud) };
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

const getEngineVersions: CloudFunction = (args, cloud) => {
  const sold = soldVersions(cloud.account);
  const [oldest = "", newest = ""] = [sold[0], sold.at(-1)];
  return {
    id: new Date(0).toISOString(),
    location: locationOf(args, cloud),
    project: projectOf(args, cloud),
    defaultClusterVersion: oldest,
    latestMasterVersion: newest,
    latestNodeVersion: newest,
    validMasterVersions: sold.toReversed(),
    validNodeVersions: sold.toReversed(),
    releaseChannelDefaultVersion: channels(oldest),
    releaseChannelLatestVersion: channels(newest),
    releaseChannelUpgradeTargetVersion: channels(newest),
  };
};

const channels = (version: string): PropertyMap =>
  Object.fromEntries(["RAPID", "REGULAR", "STABLE", "EXTENDED"].map((channel) => [channel, version]));

const notFound = (id: string): Error =>
  new Error(`googleapi: Error 404: The resource '${id}' was not found, notFound`);

/** https://cloud.google.com/compute/docs/regions-zones. */
const getRegions: CloudFunction = (args, cloud) => {
  const project = projectOf(args, cloud);
  return { id: `projects/${project}`, project, names: [...regions] };
};

/** A machine type by its name, in a zone that sells it. */
const getMachineTypes: CloudFunction = (args, cloud) => {
  const zone = textOf(args["zone"]);
  const [, name = ""] = /name = "([^"]+)"/.exec(textOf(args["filter"])) ?? [];
  const isSold = gpuShape(name) !== undefined && (cloud.account.gpuZones?.includes(zone) ?? true);
  return {
    id: `projects/${projectOf(args, cloud)}/zones/${zone}/machineTypes`,
    project: projectOf(args, cloud),
    zone,
    machineTypes: isSold ? [{ name }] : [],
  };
};

const getNetwork: CloudFunction = (args, cloud) => {
  const name = textOf(args["name"]);
  const id = `projects/${projectOf(args, cloud)}/global/networks/${name}`;
  if (referred(types.network, name, cloud) === undefined) throw notFound(id);
  return { id, name, project: projectOf(args, cloud), selfLink: selfLink(id) };
};

const getSubnetwork: CloudFunction = (args, cloud) => {
  const link = textOf(args["selfLink"] ?? args["name"]);
  const found = referred(types.subnetwork, link, cloud);
  const id = `projects/${projectOf(args, cloud)}/regions/${regionOf(args, cloud)}/subnetworks/${lastPart(link)}`;
  if (found === undefined) throw notFound(id);
  return { id, name: lastPart(link), ipCidrRange: found.inputs["ipCidrRange"] ?? "", selfLink: selfLink(id) };
};

const getCluster: CloudFunction = (args, cloud) => {
  const id = `projects/${projectOf(args, cloud)}/locations/${locationOf(args, cloud)}/clusters/${textOf(args["name"])}`;
  const found = cloud.find(types.cluster, id);
  if (found === undefined) throw new Error(`${id} not found`);
  return { ...found.outputs, id };
};

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
  "gcp:compute/getMachineTypes:getMachineTypes": getMachineTypes,
  "gcp:compute/getNetwork:getNetwork": getNetwork,
  "gcp:compute/getRegions:getRegions": getRegions,
  "gcp:compute/getSubnetwork:getSubnetwork": getSubnetwork,
  "gcp:compute/getZones:getZones": getZones,
  "gcp:container/getCluster:getCluster": getCluster,
  "gcp:container/getEngineVersions:getEngineVersions": getEngineVersions,
  "gcp:cloudquota/getSQuotaInfo:getSQuotaInfo": getQuotaInfo,
  "gcp:organizations/getProject:getProject": getProject,
};
