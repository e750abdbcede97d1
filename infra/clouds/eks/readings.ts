// Reads an account on AWS by the provider's own functions, with the credentials that also create the resources.
import type { InvokeOptions } from "@pulumi/pulumi";
import { getResource } from "@pulumi/aws/cloudcontrol/getResource.js";
import { getCapacityBlockReservation } from "@pulumi/aws/ec2/getCapacityBlockReservation.js";
import { getInstanceTypeOfferings } from "@pulumi/aws/ec2/getInstanceTypeOfferings.js";
import { getServiceQuota } from "@pulumi/aws/servicequotas/getServiceQuota.js";
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
