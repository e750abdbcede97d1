// Resource groups, networks, identities and roles. What is replaced: provider/pkg/gen/replacement.go of
// pulumi/pulumi-azure-native, and every part of a resource's path.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import { type CloudResource, usersOf } from "../cloud.ts";
import {
  alreadyThere,
  groupId,
  lastPart,
  missingGroup,
  objectId,
  refusal,
  resourceId,
  types,
} from "./names.ts";

export const resourceGroup: CloudResource = {
  required: [],
  nameInput: "resourceGroupName",
  id: (inputs, cloud) => groupId(inputs["resourceGroupName"], cloud),
  conflict: alreadyThere,
  replacing: ["resourceGroupName", "location"],
  // Azure deletes a group with all that is in it.
  takesAlong: ({ id }, cloud) => cloud.records().filter((record) => record.id.startsWith(`${id}/`)),
  outputs: ({ inputs }) => ({
    name: inputs["resourceGroupName"] ?? "",
    type: "Microsoft.Resources/resourceGroups",
  }),
};

export const virtualNetwork: CloudResource = {
  required: ["resourceGroupName"],
  nameInput: "virtualNetworkName",
  id: (inputs, cloud) =>
    resourceId(inputs, cloud, "Microsoft.Network", "virtualNetworks", textOf(inputs["virtualNetworkName"])),
  conflict: alreadyThere,
  replacing: ["resourceGroupName", "virtualNetworkName", "location"],
  refusal: missingGroup,
  outputs: ({ inputs, serial }) => ({
    name: inputs["virtualNetworkName"] ?? "",
    resourceGuid: objectId(serial),
    provisioningState: "Succeeded",
  }),
};

export const subnet: CloudResource = {
  required: ["resourceGroupName", "virtualNetworkName"],
  nameInput: "subnetName",
  id: (inputs, cloud) =>
    resourceId(
      inputs,
      cloud,
      "Microsoft.Network",
      "virtualNetworks",
      textOf(inputs["virtualNetworkName"]),
      "subnets",
      textOf(inputs["subnetName"]),
    ),
  conflict: alreadyThere,
  replacing: ["resourceGroupName", "virtualNetworkName", "subnetName"],
  refusal(inputs, cloud) {
    const network = virtualNetwork.id(inputs, cloud, 0);
    if (cloud.find(types.virtualNetwork, network) !== undefined) return undefined;
    return refusal(
      404,
      "ParentResourceNotFound",
      `Can not perform requested operation on nested resource. Parent resource '${lastPart(network)}' not found.`,
    );
  },
  // learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes: InUseSubnetCannotBeDeleted.
  refusesDeletion(record, cloud) {
    const [user] = usersOf(record, cloud, [types.cluster, types.agentPool]);
    return user === undefined
      ? undefined
      : refusal(
          400,
          "InUseSubnetCannotBeDeleted",
          `Subnet ${lastPart(record.id)} is in use by ${user} and cannot be deleted.`,
        );
  },
  outputs: ({ inputs }) => ({ name: inputs["subnetName"] ?? "", provisioningState: "Succeeded" }),
};

export const identity: CloudResource = {
  required: ["resourceGroupName"],
  nameInput: "resourceName",
  id: (inputs, cloud) =>
    resourceId(
      inputs,
      cloud,
      "Microsoft.ManagedIdentity",
      "userAssignedIdentities",
      textOf(inputs["resourceName"]),
    ),
  conflict: alreadyThere,
  replacing: ["resourceGroupName", "resourceName", "location"],
  refusal: missingGroup,
  outputs: ({ inputs, serial }) => ({
    name: inputs["resourceName"] ?? "",
    principalId: objectId(serial),
    clientId: objectId(serial + 500_000),
    tenantId: objectId(0),
  }),
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const roleAssignment: CloudResource = {
  required: ["principalId", "roleDefinitionId", "scope"],
  nameInput: "roleAssignmentName",
  id: ({ scope, roleAssignmentName }) =>
    `${textOf(scope)}/providers/Microsoft.Authorization/roleAssignments/${textOf(roleAssignmentName)}`,
  conflict: alreadyThere,
  replacing: ["principalId", "scope", "roleAssignmentName"],
  refusal(inputs, cloud) {
    const name = textOf(inputs["roleAssignmentName"]);
    if (!uuid.test(name)) {
      return refusal(
        400,
        "InvalidRoleAssignmentId",
        `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
      );
    }
    // Another assignment of the same role to the same identity, whatever its name.
    const same = cloud
      .records(types.roleAssignment)
      .find((other) =>
        ["principalId", "roleDefinitionId", "scope"].every((field) => other.inputs[field] === inputs[field]),
      );
    return same === undefined || lastPart(same.id) === name
      ? undefined
      : refusal(
          409,
          "RoleAssignmentExists",
          `The role assignment already exists. The ID of the existing role assignment is ${lastPart(same.id)}.`,
        );
  },
  outputs: ({ inputs }) => ({ name: inputs["roleAssignmentName"] ?? "" }),
};
