// The platform of a stack: its cluster and its pools of GPU nodes, as a cloud is to make them, or as they are given. Models
// that would not fit are refused here too, before a node comes or goes for them.
// What is known of them goes to the serving project as outputs.
import { RunError } from "@pulumi/pulumi";
import { configurationOfStack } from "../config/from-pulumi.ts";
import { describeRefusals, planStack } from "../planning/plan-stack.ts";
import { isMade, makePlatform } from "./cloud-platform.ts";
import { KubeconfigError, clusterAccess } from "./kubeconfig.ts";
import { platformOutputs } from "./outputs.ts";
import { modelsServed } from "./served-models.ts";

const configuration = await configurationOfStack(import.meta.dirname);
const plan = planStack(configuration);
if (!plan.ok) throw new RunError(describeRefusals(plan.refusals));
const { platform, allowReplace } = configuration;
const access = isMade(platform)
  ? await makePlatform(platform, { env: process.env, allowReplace, served: modelsServed })
  : await clusterAccess(platform, process.env).catch((error: unknown) => {
      throw error instanceof KubeconfigError ? new RunError(error.message) : error;
    });

export const { cluster, pools } = platformOutputs(configuration, access);
