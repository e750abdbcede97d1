// The cluster of a fault test: pods that are Ready at once, the real LeaderWorkerSet controller, no operator but those
// that the test starts, and a history of what they do.
import { clusterClient, type ClusterClient } from "../../../local/cluster/client.ts";
import { startCluster } from "../../../local/cluster/cluster.ts";
import type { ClusterOptions, LocalCluster } from "../../../local/cluster/options.ts";
import type { HttpKubeClient } from "../../../src/kube-runtime/connection/http/http-client.ts";
import { Upstream } from "../../support/api-server-proxy.ts";
import { installKinds } from "../../support/kinds.ts";
import { History } from "./history.ts";
import { makeWorlds, type World } from "./world.ts";

export class Harness implements AsyncDisposable {
  readonly cluster: LocalCluster;
  readonly upstream: Upstream;
  readonly history: History;
  readonly #connection: ClusterClient;

  private constructor(
    cluster: LocalCluster,
    upstream: Upstream,
    history: History,
    connection: ClusterClient,
  ) {
    this.cluster = cluster;
    this.upstream = upstream;
    this.history = history;
    this.#connection = connection;
  }

  static async start(name: string, options: Pick<ClusterOptions, "audit"> = {}): Promise<Harness> {
    const cluster = await startCluster({ ...options, name: `${name}-${process.pid}`, pods: "instant" });
    try {
      await installKinds(cluster);
      const connection = await clusterClient(cluster.kubeconfigPath);
      return new Harness(
        cluster,
        await Upstream.to(cluster),
        await History.start(connection.client),
        connection,
      );
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** The test's own client, as administrator. */
  get client(): HttpKubeClient {
    return this.#connection.client;
  }

  async make(worlds: readonly World[]): Promise<void> {
    await makeWorlds(this.client, this.cluster.addressBlock, worlds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.history[Symbol.asyncDispose]();
    await this.#connection[Symbol.asyncDispose]();
    await this.upstream[Symbol.asyncDispose]();
    await this.cluster.stop();
  }
}
