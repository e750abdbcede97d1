// Launch templates, placement groups and scheduled actions. ForceNew after hashicorp/terraform-provider-aws
// internal/service/ec2/{ec2_launch_template,ec2_placement_group}.go and internal/service/autoscaling/schedule.go.

import { isDeepStrictEqual } from "node:util";

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudResource } from "../cloud.ts";
import { arn, ec2Error, ec2Id, having, types } from "./names.ts";

export const launchTemplate: CloudResource = {
  required: [],
  nameInput: "name",
  id: ec2Id("lt"),
  replacing: ["name", "namePrefix"],
  refusal: ({ name }, cloud, before) =>
    before === undefined && having(cloud, types.launchTemplate, "name", name).length > 0
      ? ec2Error(
          "CreateLaunchTemplate",
          "InvalidLaunchTemplateName.AlreadyExistsException",
          `Launch template name already in use. (${textOf(name)})`,
        )
      : undefined,
  // CustomizeDiff: the newest version is unknown beforehand, also where only tags of the template itself change.
  unknownAfter: (changed) =>
    changed.some((name) => !["name", "namePrefix", "description"].includes(name)) ? ["latestVersion"] : [],
  // updateKeys: each change but that of the template's own tags is a version more, and the default stays the first.
  outputs({ id, inputs }, cloud) {
    const former = cloud.find(types.launchTemplate, id);
    const before = former?.outputs["latestVersion"];
    const isNew = former === undefined || typeof before !== "number";
    const { tags: _, ...data } = inputs;
    const { tags: __, ...formerData } = former?.inputs ?? {};
    const more = isDeepStrictEqual(data, formerData) ? 0 : 1;
    return {
      arn: arn("ec2", cloud, `launch-template/${id}`),
      latestVersion: isNew ? 1 : before + more,
      defaultVersion: 1,
    };
  },
};

export const placementGroup: CloudResource = {
  required: [],
  nameInput: "name",
  id: ({ name }) => textOf(name),
  conflict: (id) =>
    ec2Error(
      "CreatePlacementGroup",
      "InvalidPlacementGroup.Duplicate",
      `The placement group '${id}' already exists.`,
    ),
  replacing: ["name", "strategy", "partitionCount", "spreadLevel"],
  refusesDeletion({ id }, cloud) {
    const templates = cloud
      .records(types.launchTemplate)
      .filter(({ inputs }) => JSON.stringify(inputs["placement"] ?? null).includes(JSON.stringify(id)));
    const groups = templates.flatMap((template) =>
      cloud
        .records(types.nodeGroup)
        .filter(({ inputs }) => JSON.stringify(inputs["launchTemplate"] ?? null).includes(template.id)),
    );
    return groups.length === 0
      ? undefined
      : ec2Error(
          "DeletePlacementGroup",
          "InvalidPlacementGroup.InUse",
          `The placement group '${id}' is in use.`,
        );
  },
  outputs: ({ id, serial }, cloud) => ({
    arn: arn("ec2", cloud, `placement-group/${id}`),
    placementGroupId: `pg-${serial.toString(16).padStart(17, "0")}`,
  }),
};

export const schedule: CloudResource = {
  required: ["autoscalingGroupName", "scheduledActionName"],
  id: ({ autoscalingGroupName, scheduledActionName }) =>
    `${textOf(autoscalingGroupName)}/${textOf(scheduledActionName)}`,
  replacing: ["autoscalingGroupName", "scheduledActionName"],
  refusal({ autoscalingGroupName, startTime }, cloud) {
    const groups = cloud
      .records(types.nodeGroup)
      .filter(({ outputs }) => JSON.stringify(outputs["resources"]).includes(textOf(autoscalingGroupName)));
    if (groups.length === 0) {
      return `operation error Auto Scaling: PutScheduledUpdateGroupAction, ValidationError: AutoScalingGroup name not found - ${textOf(autoscalingGroupName)}`;
    }
    return Date.parse(textOf(startTime)) < Date.now()
      ? "operation error Auto Scaling: PutScheduledUpdateGroupAction, ValidationError: Given start time is in the past"
      : undefined;
  },
  outputs: ({ id }, cloud) => ({ arn: arn("autoscaling", cloud, `scheduledUpdateGroupAction:${id}`) }),
};
