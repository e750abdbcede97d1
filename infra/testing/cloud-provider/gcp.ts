// Google Cloud as the double knows it: @pulumi/gcp 9.37, which bridges hashicorp/terraform-provider-google v7.

import type { CloudTable } from "./cloud.ts";

export const gcp: CloudTable = {
  name: "gcp",
  version: "9.37.0",
  replacingArguments: ["project"],
  resources: {},
  functions: {},
};
