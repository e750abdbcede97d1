// Reads a subscription on Azure by the provider's own functions, with the credentials that also create the resources.
// There is none for versions of AKS, which are read from Azure itself, nor for quotas of virtual machines.
import type { InvokeOptions } from "@pulumi/pulumi";
import { getCapacityReservation } from "@pulumi/azure-native/compute/getCapacityReservation.js";
import { getCapacityReservationGroup } from "@pulumi/azure-native/compute/getCapacityReservationGroup.js";
import { getManagedCluster } from "@pulumi/azure-native/containerservice/getManagedCluster.js";
import { getSubscriptionFeatureRegistration } from "@pulumi/azure-native/features/getSubscriptionFeatureRegistration.js";
import { getUserAssignedIdentity } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js";
import { ifThere } from "../reading-failure.ts";
import type { AksReadings } from "./availability.ts";
import { systemPoolName } from "./config/checks.ts";
import { managementApi, soldVersions } from "./management-api.ts";

export function aksReadings(options: InvokeOptions): AksReadings {
  return {
    async reservationGroup(id) {
      const { resourceGroupName, name: capacityReservationGroupName } = partsOf(id);
      const group = await getCapacityReservationGroup(
        { resourceGroupName, capacityReservationGroupName },
        options,
      );
      const reservations = await Promise.all(
        group.capacityReservations.map(async (reservation) =>
          getCapacityReservation(
            {
              resourceGroupName,
              capacityReservationGroupName,
              capacityReservationName: partsOf(reservation.id).name,
            },
            options,
          ),
        ),
      );
      return {
        location: group.location,
        zones: group.zones ?? [],
        reservations: reservations.map(({ sku, zones }) => ({
          machine: sku.name ?? "",
          count: sku.capacity ?? 0,
          zones: zones ?? [],
        })),
      };
    },
    async featureState({ providerNamespace, name }) {
      const { properties } = await getSubscriptionFeatureRegistration(
        { providerNamespace, featureName: name },
        options,
      );
      return properties.state ?? "unknown";
    },
    async identity(id) {
      const { resourceGroupName, name: resourceName } = partsOf(id);
      await getUserAssignedIdentity({ resourceGroupName, resourceName }, options);
    },
    versions: async (subscription, location) => soldVersions(managementApi(options), subscription, location),
    async cluster(resourceGroupName, resourceName) {
      const found = await ifThere(async () =>
        getManagedCluster({ resourceGroupName, resourceName }, options),
      );
      if (found === undefined) return undefined;
      const pool = found.agentPoolProfiles?.find(({ name }) => name === systemPoolName);
      return {
        version: found.currentKubernetesVersion,
        systemPool:
          pool?.vmSize === undefined
            ? undefined
            : { machine: pool.vmSize, zones: pool.availabilityZones ?? [] },
      };
    },
  };
}

/** Resource group and name in the id of a resource. */
function partsOf(id: string): { readonly resourceGroupName: string; readonly name: string } {
  const parts = id.split("/");
  return { resourceGroupName: parts[4] ?? "", name: parts.at(-1) ?? "" };
}
