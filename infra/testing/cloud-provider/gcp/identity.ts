// Service accounts and their roles.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudResource } from "../cloud.ts";
import { projectOf } from "./names.ts";

export const serviceAccount: CloudResource = {
  required: ["accountId"],
  id: (inputs, cloud) => {
    const project = projectOf(inputs, cloud);
    return `projects/${project}/serviceAccounts/${textOf(inputs["accountId"])}@${project}.iam.gserviceaccount.com`;
  },
  conflict: (id) =>
    `Error creating service account: googleapi: Error 409: Service account ${id} already exists within project., alreadyExists`,
  replacing: ["accountId", "project"],
  refusal: ({ accountId }) =>
    // https://cloud.google.com/iam/docs/service-accounts-create: 6 to 30 characters.
    /^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$/.test(textOf(accountId))
      ? undefined
      : `"account_id" ("${textOf(accountId)}") doesn't match regexp "^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$"`,
  outputs: ({ id, inputs, serial }, cloud) => {
    const email = id.slice(id.lastIndexOf("/") + 1);
    return {
      project: projectOf(inputs, cloud),
      email,
      member: `serviceAccount:${email}`,
      name: id,
      uniqueId: String(100_000_000_000 + serial),
    };
  },
};

/** Additive: to give a role that is held is no error. */
export const iamMember: CloudResource = {
  required: ["project", "role", "member"],
  id: ({ project, role, member }) => `${textOf(project)}/${textOf(role)}/${textOf(member)}`,
  replacing: ["project", "role", "member", "condition"],
  outputs: () => ({ etag: "BwYyDouble=" }),
};
