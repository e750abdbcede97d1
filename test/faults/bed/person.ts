// A person who wishes, and waits: creates, edits and scales one LlamaDeployment of a world until it is Ready each time.
import type { LlamaDeployment } from "../../../src/llama/api/resources.ts";
import { llamaDeployments } from "../../../src/operator/observed/kinds.ts";
import type { KubeObject, Live } from "../../../src/kube-runtime/client/object.ts";
import type { Bed } from "./bed.ts";
import type { World } from "./world.ts";

/** How long one wish may take, with everything that goes wrong on the way, while dozens of worlds share a machine. */
const patienceSeconds = 90;

export class Person {
  readonly name = "llama";
  readonly #bed: Bed;
  readonly #namespace: string;

  constructor(bed: Bed, { namespace }: World) {
    this.#bed = bed;
    this.#namespace = namespace;
  }

  /** Creates it. */
  async wish(spec: object): Promise<void> {
    const { name } = this;
    const metadata = { namespace: this.#namespace, name };
    await this.#bed.client.create(llamaDeployments, {
      apiVersion: "llama-operator.dev/v1alpha1",
      kind: "LlamaDeployment",
      metadata,
      spec,
    } as unknown as LlamaDeployment & KubeObject);
  }

  /** Changes its spec by a merge patch. */
  async wishOtherwise(spec: object): Promise<void> {
    const ref = { namespace: this.#namespace, name: this.name };
    await this.#bed.client.mergePatch(llamaDeployments, ref, { spec });
  }

  /** Waits until this generation is Ready. */
  async ready(): Promise<Live<LlamaDeployment & KubeObject>> {
    const ref = { namespace: this.#namespace, name: this.name };
    const { metadata } = await this.#bed.client.get(llamaDeployments, ref);
    const look = () =>
      this.#bed.history.find("LlamaDeployment", this.#namespace, this.name) as
        | Live<LlamaDeployment & KubeObject>
        | undefined;
    const isReady = (llama: ReturnType<typeof look>): boolean =>
      llama?.status?.observedGeneration === metadata.generation &&
      llama?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
    return this.#bed.history.until(
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

/** A life of wishes, and the nodes of eight H100 that it takes. */
export interface Scenario {
  readonly nodes: number;
  readonly live: (person: Person) => Promise<void>;
}

/** One GPU, then two by a rollout, then two replicas. */
export const oneNode: Scenario = {
  nodes: 1,
  live: async (person) => {
    await person.wish({ model: { name: "llama-3.1-8b-instruct" } });
    await person.ready();
    await person.wishOtherwise({ parallelism: { tensor: 2 } });
    await person.ready();
    await person.wishOtherwise({ replicas: 2 });
    await person.ready();
  },
};

/** A group over two nodes, then, quantized, one node: a LeaderWorkerSet that a Deployment replaces. */
export const twoNodes: Scenario = {
  nodes: 3,
  live: async (person) => {
    const model = { name: "llama-3.1-405b-instruct" };
    await person.wish({ model, quantization: { weights: "bf16" } });
    await person.ready();
    await person.wishOtherwise({ quantization: { weights: "fp8" } });
    await person.ready();
  },
};
