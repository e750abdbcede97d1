// What the double of the Kubernetes provider adds to the protocol: its configuration, which names a cluster, and who
// answers for objects and who for releases.

import type { ProviderDefinition } from "../provider/service.ts";
import { ClusterObjects } from "./cluster-objects.ts";
import { providerConfiguration, replacingArguments } from "./configuration.ts";
import { connect } from "./connection.ts";
import { HelmReleaseHandler } from "./helm-release.ts";
import { ObjectHandler } from "./object-handler.ts";

const helmReleaseType = "kubernetes:helm.sh/v3:Release";

export const kubernetesProvider: ProviderDefinition = {
  name: "kubernetes",
  version: "4.34.2",
  replacingArguments,
  async configure(args) {
    const configuration = providerConfiguration(args, process.env);
    const { client, helm, defaultNamespace } = await connect(configuration);
    const objects = new ObjectHandler(new ClusterObjects(client), configuration, defaultNamespace);
    const releases = new HelmReleaseHandler(helm, defaultNamespace);
    return { handlerOf: (type) => (type === helmReleaseType ? releases : objects) };
  },
};
