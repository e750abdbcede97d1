// Azure as the double knows it: @pulumi/azure-native 3.28, default API versions.

import type { CloudTable } from "./cloud.ts";

export const azureNative: CloudTable = {
  name: "azure-native",
  version: "3.28.0",
  replacingArguments: ["subscriptionId"],
  resources: {},
  functions: {},
};
