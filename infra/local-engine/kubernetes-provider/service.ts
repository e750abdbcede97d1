// What the Kubernetes provider adds to the protocol: its configuration, which names a cluster, and who
// answers for objects and who for releases.

import type { ProviderDefinition } from "../provider/service.ts";
import { ClusterObjects } from "./cluster-objects.ts";
import { providerConfiguration, replacingArguments } from "./configuration.ts";
import { connect } from "./connection.ts";
import { HelmReleaseHandler, type LocalChart } from "./helm-release.ts";
import { ObjectHandler } from "./object-handler.ts";

const helmReleaseType = "kubernetes:helm.sh/v3:Release";

/** `localChart` names the folder to take instead of a chart of the network; where it is absent, Helm fetches charts. */
export const kubernetesProvider = (localChart?: LocalChart): ProviderDefinition => ({
  name: "kubernetes",
  version: "4.34.2",
  replacingArguments,
  async configure(args) {
    const configuration = providerConfiguration(args, process.env);
    const { client, helm, defaultNamespace } = await connect(configuration);
    const objects = new ObjectHandler(new ClusterObjects(client), configuration, defaultNamespace);
    const releases = new HelmReleaseHandler(helm, defaultNamespace, localChart);
    return { handlerOf: (type) => (type === helmReleaseType ? releases : objects) };
  },
});
