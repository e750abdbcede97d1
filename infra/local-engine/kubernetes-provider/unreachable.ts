// What the provider answers where its cluster cannot be reached: nothing is made, changed or looked up, and only
// `deleteUnreachable` lets objects leave the state. Releases do not leave it even then.
// Source: pulumi-kubernetes 4.34, provider.go and helm_release.go; the words were seen there on a stopped cluster.
import type { PropertyMap } from "../protocol/properties.ts";
import { type Diff, type Made, notMadeYet, type ResourceHandler } from "../provider/handler.ts";
import type { CheckCall, CreateCall, UpdateCall } from "../provider/handler.ts";

const advice =
  'If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"';

export interface UnreachableCluster {
  /** Why it cannot be reached. */
  readonly reason: string;
  readonly deleteUnreachable: boolean;
}

export class UnreachableHandler implements ResourceHandler {
  readonly #cluster: UnreachableCluster;
  readonly #isRelease: boolean;

  constructor(cluster: UnreachableCluster, isRelease: boolean) {
    this.#cluster = cluster;
    this.#isRelease = isRelease;
  }

  async check({ inputs }: CheckCall): Promise<PropertyMap> {
    return inputs;
  }

  async diff(): Promise<Diff> {
    return { differences: [], replacing: [], deleteBeforeReplace: false };
  }

  async create(call: CreateCall): Promise<Made> {
    if (call.preview) return notMadeYet(call.inputs);
    throw this.#error();
  }

  async update(call: UpdateCall): Promise<PropertyMap> {
    if (call.preview) return call.inputs;
    throw this.#error();
  }

  async read(): Promise<undefined> {
    if (!this.#cluster.deleteUnreachable) throw this.#error();
    return undefined;
  }

  async delete(): Promise<void> {
    if (!this.#cluster.deleteUnreachable) throw this.#error();
    if (this.#isRelease) {
      throw new Error(`can't delete Helm Release with unreachable cluster: ${this.#cluster.reason}`);
    }
  }

  #error(): Error {
    return new Error(`configured Kubernetes cluster is unreachable: ${this.#cluster.reason}. ${advice}`);
  }
}
