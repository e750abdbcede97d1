// IAM. ForceNew after hashicorp/terraform-provider-aws internal/service/iam/{role,role_policy_attachment}.go.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudResource, CloudView } from "../cloud.ts";
import { accountId, having, types } from "./names.ts";

const iamError = (operation: string, code: string, message: string): string =>
  `operation error IAM: ${operation}, https response error StatusCode: 409, ${code}: ${message}`;

export const role: CloudResource = {
  required: ["assumeRolePolicy"],
  nameInput: "name",
  id: ({ name }) => textOf(name),
  conflict: (id) => iamError("CreateRole", "EntityAlreadyExists", `Role with name ${id} already exists.`),
  replacing: ["name", "namePrefix", "path"],
  refusesDeletion: ({ id }, cloud) =>
    having(cloud, types.rolePolicyAttachment, "role", id).length === 0
      ? undefined
      : iamError("DeleteRole", "DeleteConflict", "Cannot delete entity, must detach all policies first."),
  outputs: ({ id, serial }) => ({
    arn: `arn:aws:iam::${accountId}:role/${id}`,
    uniqueId: `AROA${serial.toString().padStart(17, "0")}`,
  }),
};

export const rolePolicyAttachment: CloudResource = {
  required: ["role", "policyArn"],
  // The provider makes the id up; two attachments of one policy are one to IAM.
  id: ({ role: to, policyArn }) => `${textOf(to)}-${textOf(policyArn)}`,
  replacing: ["role", "policyArn"],
  refusal: ({ role: to }, cloud) =>
    cloud.find(types.role, to) === undefined
      ? iamError("AttachRolePolicy", "NoSuchEntity", `The role with name ${textOf(to)} cannot be found.`)
      : undefined,
};

/** Names of the managed policies that a role has. */
export function policiesOf(roleArn: string, cloud: CloudView): readonly string[] {
  const name = roleArn.slice(roleArn.lastIndexOf("/") + 1);
  return having(cloud, types.rolePolicyAttachment, "role", name).map(({ inputs }) =>
    textOf(inputs["policyArn"]).replace(/^.*\//, ""),
  );
}
