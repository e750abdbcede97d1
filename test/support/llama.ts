// LlamaDeployments as a test's person handles them: kubectl writes, and the status is read back.
import { clusterClient } from "../../local/cluster/client.ts";
import type { LlamaDeployment } from "../../src/llama/api/resources.ts";
import type { Condition } from "../../src/llama/api/schema.ts";
import { llamaDeployments } from "../../src/operator/observed/kinds.ts";
import { kubectl, sharedCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";

/** Applies a LlamaDeployment of this spec. */
export async function applyLlama(namespace: string, name: string, spec: object): Promise<void> {
  const manifest = {
    apiVersion: "llama-operator.dev/v1alpha1",
    kind: "LlamaDeployment",
    metadata: { name },
    spec,
  };
  await kubectl(sharedCluster(), ["apply", "-n", namespace, "-f", "-"], JSON.stringify(manifest));
}

const tokenSecret = "hf-token";

/** A gated model with the token that {@link addToken} makes. */
export function gatedModel(name: string): object {
  return { name, source: { huggingFace: { tokenSecretRef: { name: tokenSecret, key: "token" } } } };
}

/** A made-up Hugging Face token; the simulated hub asks only that there is one. */
export async function addToken(namespace: string): Promise<void> {
  const token = "hf_made-up-for-the-test";
  await kubectl(sharedCluster(), [
    "create",
    "secret",
    "generic",
    tokenSecret,
    "-n",
    namespace,
    `--from-literal=token=${token}`,
  ]);
}

/** Changes a spec by a merge patch. */
export async function editLlama(namespace: string, name: string, spec: object): Promise<void> {
  const patch = JSON.stringify({ spec });
  await kubectl(sharedCluster(), ["patch", "llama", name, "-n", namespace, "--type=merge", "-p", patch]);
}

export async function getJson<T>(namespace: string, ...args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl(sharedCluster(), ["get", "-n", namespace, "-o", "json", ...args])) as T;
}

export interface Listed {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

/** Objects of a namespace by kubectl's name for the kind, optionally those of one label. */
export async function list<T extends Listed>(
  namespace: string,
  kind: string,
  selector?: string,
): Promise<readonly T[]> {
  const more = selector === undefined ? [] : ["-l", selector];
  return (await getJson<{ items: readonly T[] }>(namespace, kind, ...more)).items;
}

export function conditionOf({ status }: LlamaDeployment, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/**
 * Looks at a LlamaDeployment until `look` finds something. Over one connection: a kubectl for every look would take more
 * processor time than the operator under test.
 */
export async function untilLlama<T>(
  what: string,
  namespace: string,
  name: string,
  look: (llama: LlamaDeployment) => T | undefined | Promise<T | undefined>,
  seconds?: number,
): Promise<T> {
  await using connection = await clusterClient(sharedCluster().kubeconfigPath);
  const { client } = connection;
  return eventually(what, async () => look(await client.get(llamaDeployments, { namespace, name })), seconds);
}

/** Waits until a condition of the latest generation has this status and reason. */
export async function untilCondition(
  namespace: string,
  name: string,
  wanted: Pick<Condition, "type" | "status"> & Partial<Pick<Condition, "reason">>,
  seconds?: number,
): Promise<LlamaDeployment> {
  const what = `${name} ${wanted.type}=${wanted.status} ${wanted.reason ?? ""}`;
  let last: LlamaDeployment | undefined;
  try {
    return await untilLlama(
      what,
      namespace,
      name,
      (llama) => {
        last = llama;
        if (llama.status?.observedGeneration !== llama.metadata.generation) return undefined;
        const found = conditionOf(llama, wanted.type);
        const matches = found?.status === wanted.status && (wanted.reason ?? found.reason) === found.reason;
        return matches ? llama : undefined;
      },
      seconds,
    );
  } catch (error) {
    throw new Error(`${what}; last seen: ${JSON.stringify(last?.status?.conditions, undefined, 1)}`, {
      cause: error,
    });
  }
}

/**
 * Looks at an object until it is fully rolled out with a plan that `isNew` accepts.
 * @returns what it said of itself whenever it was not available: nothing, if it always was
 */
export async function outagesUntil(
  namespace: string,
  name: string,
  isNew: (plan: NonNullable<NonNullable<LlamaDeployment["status"]>["plan"]>) => boolean,
): Promise<readonly string[]> {
  const outages: string[] = [];
  await untilLlama(
    `${name} is rolled out`,
    namespace,
    name,
    async (llama) => {
      const readiness = conditionOf(llama, "Ready");
      if (conditionOf(llama, "Available")?.status !== "True") {
        const pods = await kubectl(sharedCluster(), ["get", "pods", "-n", namespace, "--no-headers"]);
        outages.push(`${readiness?.reason}: ${readiness?.message}\n${pods}`);
      }
      const { plan, observedGeneration } = llama.status ?? {};
      if (observedGeneration !== llama.metadata.generation || plan === undefined) return undefined;
      return readiness?.status === "True" && isNew(plan) ? llama : undefined;
    },
    90,
  );
  return outages;
}
