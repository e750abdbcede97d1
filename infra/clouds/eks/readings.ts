// Reads an account on AWS by the provider's own functions, with the credentials that also create the resources.
import type { InvokeOptions } from "@pulumi/pulumi";
import { getResource } from "@pulumi/aws/cloudcontrol/getResource.js";
import { getAmiIds } from "@pulumi/aws/ec2/getAmiIds.js";
import { getCapacityBlockReservation } from "@pulumi/aws/ec2/getCapacityBlockReservation.js";
import { getInstanceTypeOfferings } from "@pulumi/aws/ec2/getInstanceTypeOfferings.js";
import { getCluster } from "@pulumi/aws/eks/getCluster.js";
import type { GetClusterResult } from "@pulumi/aws/eks/getCluster.js";
import { getClusterVersions } from "@pulumi/aws/eks/getClusterVersions.js";
import { getAvailabilityZones } from "@pulumi/aws/getAvailabilityZones.js";
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity.js";
import { getRegion } from "@pulumi/aws/getRegion.js";
import { getRole } from "@pulumi/aws/iam/getRole.js";
import { getUser } from "@pulumi/aws/iam/getUser.js";
import { getServiceQuota } from "@pulumi/aws/servicequotas/getServiceQuota.js";
import { ifThere } from "../reading-failure.ts";
import type { EksReadings } from "./availability.ts";

/** As Cloud Control describes an AWS::EC2::CapacityReservation: of such the provider has no function of its own. */
interface CapacityReservationProperties {
  readonly InstanceType: string;
  readonly AvailabilityZone: string;
  readonly TotalInstanceCount?: number;
  readonly InstanceCount?: number;
  readonly PlacementGroupArn?: string;
}

export function eksReadings(options: InvokeOptions): EksReadings {
  return {
    async region(region) {
      await getRegion({ region }, options);
    },
    async zones() {
      const { names, zoneIds } = await getAvailabilityZones({}, options);
      return names.map((name, index) => ({ name, id: zoneIds[index] ?? "" }));
    },
    async versions() {
      const { clusterVersions } = await getClusterVersions({}, options);
      return clusterVersions
        .filter(({ versionStatus }) => versionStatus !== "UNSUPPORTED")
        .map(({ clusterVersion }) => clusterVersion);
    },
    async cluster(name) {
      const found: Partial<GetClusterResult> | undefined = await ifThere(async () =>
        getCluster({ name }, options),
      );
      return found?.version === undefined ? undefined : { version: found.version, tags: found.tags ?? {} };
    },
    caller: async () => (await getCallerIdentity({}, options)).arn,
    async principal(kind, name) {
      await (kind === "role" ? getRole({ name }, options) : getUser({ userName: name }, options));
    },
    async images(name) {
      const filters = [{ name: "name", values: [name] }];
      return (await getAmiIds({ owners: ["amazon"], filters, includeDeprecated: true }, options)).ids;
    },
    async zonesOf(machineType) {
      const filters = [{ name: "instance-type", values: [machineType] }];
      const offered = await getInstanceTypeOfferings({ locationType: "availability-zone", filters }, options);
      return offered.locations;
    },
    async quota(quotaName) {
      return (await getServiceQuota({ serviceCode: "ec2", quotaName }, options)).value;
    },
    async reservation(identifier) {
      const { properties } = await getResource(
        { typeName: "AWS::EC2::CapacityReservation", identifier },
        options,
      );
      const facts = JSON.parse(properties) as CapacityReservationProperties;
      const group = facts.PlacementGroupArn?.split("/").at(-1);
      return {
        machineType: facts.InstanceType,
        zone: facts.AvailabilityZone,
        count: facts.TotalInstanceCount ?? facts.InstanceCount ?? 0,
        ...(group === undefined ? {} : { placementGroup: group }),
      };
    },
    async block(id) {
      const facts = await getCapacityBlockReservation({ id }, options);
      return {
        machineType: facts.instanceType,
        zone: facts.availabilityZone,
        count: facts.instanceCount,
        state: facts.state,
        start: facts.startDate,
        end: facts.endDate,
      };
    },
  };
}
