// AWS as the double knows it: @pulumi/aws 7.48, which bridges hashicorp/terraform-provider-aws v6.

import type { CloudTable } from "./cloud.ts";

export const aws: CloudTable = {
  name: "aws",
  version: "7.48.0",
  replacingArguments: ["region"],
  resources: {},
  functions: {},
};
