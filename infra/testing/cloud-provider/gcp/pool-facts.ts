// What the inputs of a node pool mean: its cluster, zones, size and accelerators.

import {
  isPropertyList,
  isPropertyMap,
  type PropertyMap,
  textOf,
} from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudView } from "../cloud.ts";
import { isZone, lastPart, locationOf, part, projectOf, types } from "./names.ts";
import { zonesOf } from "./places.ts";

/** The cluster is named by its id, or by its name with the pool's own project and location. */
export function clusterIdOf(inputs: PropertyMap, cloud: CloudView): string {
  const cluster = textOf(inputs["cluster"]);
  if (cluster.startsWith("projects/")) return cluster;
  return `projects/${projectOf(inputs, cloud)}/locations/${locationOf(inputs, cloud)}/clusters/${lastPart(cluster)}`;
}

export function clusterOf(inputs: PropertyMap, cloud: CloudView): CloudRecord | undefined {
  return cloud.find(types.cluster, clusterIdOf(inputs, cloud));
}

export function poolLocation(inputs: PropertyMap, cloud: CloudView): string {
  return clusterIdOf(inputs, cloud).split("/")[3] ?? "";
}

/** The pool's own zones, or the cluster's. */
export function poolZones(inputs: PropertyMap, cloud: CloudView): readonly string[] {
  const location = poolLocation(inputs, cloud);
  const asked = inputs["nodeLocations"] ?? clusterOf(inputs, cloud)?.outputs["nodeLocations"];
  const listed = isPropertyList(asked) ? asked.map(textOf) : [];
  if (listed.length > 0) return listed;
  return isZone(location) ? [location] : zonesOf(location);
}

/** Counts are per zone, but for an autoscaler's totals. */
export function nodeCountOf(inputs: PropertyMap, cloud: CloudView): number {
  const zones = poolZones(inputs, cloud).length;
  const number = (value: PropertyMap[string] | undefined) => (typeof value === "number" ? value : 0);
  const autoscaling = part(inputs, "autoscaling");
  if (Object.keys(autoscaling).length > 0) {
    const minimum = number(autoscaling["totalMinNodeCount"]) || number(autoscaling["minNodeCount"]) * zones;
    return Math.max(minimum, number(inputs["initialNodeCount"]) * zones);
  }
  return number(inputs["nodeCount"] ?? inputs["initialNodeCount"]) * zones;
}

/** The value of the label cloud.google.com/gke-gpu-driver-version, by what is installed. */
export const driverLabels = {
  DEFAULT: "default",
  LATEST: "latest",
  INSTALLATION_DISABLED: "disabled",
} as const;

interface Accelerator {
  readonly type: string;
  readonly count: number;
  readonly driver: keyof typeof driverLabels;
}

export function acceleratorsOf(config: PropertyMap): readonly Accelerator[] {
  const asked = config["guestAccelerators"];
  return (isPropertyList(asked) ? asked : []).filter(isPropertyMap).map((accelerator) => {
    const version = textOf(part(accelerator, "gpuDriverInstallationConfig")["gpuDriverVersion"]);
    return {
      type: textOf(accelerator["type"]),
      count: Number(accelerator["count"]),
      // Unspecified installs nothing, by the API's enum GPUDriverInstallationConfig.GpuDriverVersion.
      driver: version === "DEFAULT" || version === "LATEST" ? version : "INSTALLATION_DISABLED",
    };
  });
}
