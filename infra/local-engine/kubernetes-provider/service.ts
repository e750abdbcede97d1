// What the Kubernetes provider adds to the protocol: its configuration, which names a cluster, and who
// answers for objects and who for releases.

import { ApiError, isUnauthorized } from "@llama-operator/kube-runtime/client";
import type { ProviderDefinition } from "../provider/service.ts";
import { ClusterObjects } from "./cluster-objects.ts";
import { providerConfiguration, replacingArguments } from "./configuration.ts";
import type { ProviderConfiguration } from "./configuration.ts";
import { connect } from "./connection.ts";
import type { ProviderConnection } from "./connection.ts";
import { HelmReleaseHandler, type LocalChart } from "./helm-release.ts";
import { ObjectHandler } from "./object-handler.ts";
import { UnreachableHandler } from "./unreachable.ts";

const helmReleaseType = "kubernetes:helm.sh/v3:Release";

/** `localChart` names the folder to take instead of a chart of the network; where it is absent, Helm fetches charts. */
export const kubernetesProvider = (localChart?: LocalChart): ProviderDefinition => ({
  name: "kubernetes",
  version: "4.34.2",
  replacingArguments,
  async configure(args, signal) {
    const configuration = providerConfiguration(args, process.env);
    const connection = await reach(configuration, signal);
    if (connection instanceof Unreachable) {
      const cluster = { reason: connection.message, deleteUnreachable: configuration.deleteUnreachable };
      return { handlerOf: (type) => new UnreachableHandler(cluster, type === helmReleaseType) };
    }
    const { client, helm, defaultNamespace } = connection;
    const objects = new ObjectHandler(new ClusterObjects(client), configuration, defaultNamespace);
    const releases = new HelmReleaseHandler(helm, defaultNamespace, localChart);
    return { handlerOf: (type) => (type === helmReleaseType ? releases : objects) };
  },
});

class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** A server that answers is there, whatever it says, unless it does not know who asks. */
async function reach(
  configuration: ProviderConfiguration,
  signal: AbortSignal,
): Promise<ProviderConnection | Unreachable> {
  try {
    const connection = await connect(configuration);
    await connection.client.raw("/version", { signal }).catch((error: unknown) => {
      if (!(error instanceof ApiError) || isUnauthorized(error)) throw error;
    });
    return connection;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new Unreachable(`unable to load schema information from the API server: ${why}`, { cause });
  }
}
