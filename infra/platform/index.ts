// The platform of a stack: its cluster and its pools of GPU nodes, as a cloud is to make them, or as they are given.
// What is known of them goes to the serving project as outputs.
import { RunError } from "@pulumi/pulumi";
import { configurationOfStack } from "../config/from-pulumi.ts";
import { isMade, makePlatform } from "./cloud-platform.ts";
import { KubeconfigError, clusterAccess } from "./kubeconfig.ts";
import { platformOutputs } from "./outputs.ts";

const configuration = await configurationOfStack(import.meta.dirname);
const { platform, allowReplace } = configuration;
const { poolRecords: records, ...access } = isMade(platform)
  ? await makePlatform(platform, { env: process.env, allowReplace })
  : {
      ...(await clusterAccess(platform, process.env).catch((error: unknown) => {
        throw error instanceof KubeconfigError ? new RunError(error.message) : error;
      })),
      poolRecords: undefined,
    };

export const { cluster, pools } = platformOutputs(configuration, access);
/** What the pools were made with: the guard reads it back in the next run. */
export const poolRecords = records;
