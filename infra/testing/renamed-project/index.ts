// A component of this project under a name of the configuration's, for the test of what a release that renames one needs:
// an alias of the component, and of nothing in it.

import { Config } from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { LeaderWorkerSetAddOn } from "../../components/leader-worker-set.ts";

const config = new Config();
const formerName = config.get("formerName");
const provider = new Provider("cluster", { kubeconfig: config.require("kubeconfig") });

export const { version } = new LeaderWorkerSetAddOn(
  config.require("name"),
  {},
  { provider, ...(formerName === undefined ? {} : { aliases: [{ name: formerName }] }) },
);
