// The platform of a stack: its cluster and its pools of GPU nodes. Here both are given, so nothing is made; what is
// known of them goes to the serving project as outputs. A cluster that a cloud makes will be made here.
import { RunError } from "@pulumi/pulumi";
import { configurationOfStack } from "../config/from-pulumi.ts";
import { KubeconfigError, clusterAccess } from "./kubeconfig.ts";
import { platformOutputs } from "./outputs.ts";

const configuration = await configurationOfStack(import.meta.dirname);
const access = await clusterAccess(configuration.cluster, process.env).catch((error: unknown) => {
  throw error instanceof KubeconfigError ? new RunError(error.message) : error;
});

export const { cluster, pools } = platformOutputs(configuration, access);
