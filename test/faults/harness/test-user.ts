// What a user does, who changes something and waits: creates, edits and scales one LlamaDeployment of a world until it is Ready each time.
import type { LlamaDeployment } from "../../../src/llama/api/resources.ts";
import { llamaDeployments } from "../../../src/operator/observed/kinds.ts";
import type { KubeObject, Live } from "../../../src/kube-runtime/client/object.ts";
import type { Harness } from "./harness.ts";
import type { World } from "./world.ts";

/** How long one change may take, with everything that goes wrong on the way, while dozens of worlds share a machine. */
const patienceSeconds = 90;

export class TestUser {
  readonly name = "llama";
  readonly #harness: Harness;
  readonly #namespace: string;

  constructor(harness: Harness, { namespace }: World) {
    this.#harness = harness;
    this.#namespace = namespace;
  }

  /** Creates it. */
  async create(spec: object): Promise<void> {
    const { name } = this;
    const metadata = { namespace: this.#namespace, name };
    await this.#harness.client.create(llamaDeployments, {
      apiVersion: "llama-operator.dev/v1alpha1",
      kind: "LlamaDeployment",
      metadata,
      spec,
    } as unknown as LlamaDeployment & KubeObject);
  }

  /** Changes its spec by a merge patch. */
  async change(spec: object): Promise<void> {
    const ref = { namespace: this.#namespace, name: this.name };
    await this.#harness.client.mergePatch(llamaDeployments, ref, { spec });
  }

  /** Waits until this generation is Ready. */
  async ready(): Promise<Live<LlamaDeployment & KubeObject>> {
    const ref = { namespace: this.#namespace, name: this.name };
    const { metadata } = await this.#harness.client.get(llamaDeployments, ref);
    const look = () =>
      this.#harness.history.find("LlamaDeployment", this.#namespace, this.name) as
        | Live<LlamaDeployment & KubeObject>
        | undefined;
    const isReady = (llama: ReturnType<typeof look>): boolean =>
      llama?.status?.observedGeneration === metadata.generation &&
      llama?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
    return this.#harness.history.until(
      `${this.#namespace} is Ready`,
      () => {
        const llama = look();
        return isReady(llama) ? llama : undefined;
      },
      patienceSeconds,
      () => JSON.stringify(look()?.status?.conditions),
    );
  }
}

/** What a user does, and the nodes of eight H100 that it takes. */
export interface Scenario {
  readonly nodes: number;
  readonly live: (user: TestUser) => Promise<void>;
}

/** One GPU, then two by a rollout, then two replicas. */
export const oneNode: Scenario = {
  nodes: 1,
  live: async (user) => {
    await user.create({ model: { name: "llama-3.1-8b-instruct" } });
    await user.ready();
    await user.change({ parallelism: { tensor: 2 } });
    await user.ready();
    await user.change({ replicas: 2 });
    await user.ready();
  },
};

/** A group over two nodes, then, quantized, one node: a LeaderWorkerSet that a Deployment replaces. */
export const twoNodes: Scenario = {
  nodes: 3,
  live: async (user) => {
    const model = { name: "llama-3.1-405b-instruct" };
    await user.create({ model, quantization: { weights: "bf16" } });
    await user.ready();
    await user.change({ quantization: { weights: "fp8" } });
    await user.ready();
  },
};
