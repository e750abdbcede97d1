// What the workloads render, against a real API server: it must take every object, store it as it was written, and
// find nothing to change the second time; and its Pod Security admission must let every pod in.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClusterClient, clusterClient } from "../../local/cluster/client.ts";
import { fabrics } from "../../src/llama/catalog/fabrics.ts";
import { childTypeOf, pods } from "../../src/operator/observed/kinds.ts";
import { findDrift } from "../../src/kube-runtime/apply/drift.ts";
import type { KubeObject, Live } from "../../src/kube-runtime/client/object.ts";
import { controllerRevision } from "../../src/operator/workloads/controller-revision.ts";
import { desiredObjects } from "../../src/operator/workloads/desired.ts";
import { cases, type Case } from "../../src/llama/testing/planned-cases.ts";
import { renderRevision, spansNodes } from "../../src/operator/workloads/revision.ts";
import { requiredPodSecurityLevel } from "../../src/operator/workloads/security.ts";
import { kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";

const fieldManager = "llama-operator";

async function restrictedNamespace(): Promise<string> {
  const namespace = await testNamespace(sharedCluster());
  const label = "pod-security.kubernetes.io/enforce=restricted";
  await kubectl(sharedCluster(), ["label", "namespace", namespace, label]);
  return namespace;
}

/** No node has it, so that groups take no GPUs from the tests beside this one. */
const nodeSelector = { "example.com/nowhere": "true" };

/** Everything of a case, without its owner: the garbage collector would take what belongs to nobody. */
function objectsOf(given: Case, namespace: string): readonly KubeObject[] {
  const owner = { ...given.owner, namespace };
  const revision = renderRevision({ ...given, owner, plan: { ...given.plan, nodeSelector } });
  const workload = spansNodes(revision) ? { revision, slots: [0] } : { revision, replicas: 0 };
  const objects = [
    ...desiredObjects({ owner, workloads: [workload] }),
    controllerRevision(owner, revision, 1),
  ];
  return objects.map((object) => {
    const { ownerReferences: _, ...metadata } = object.metadata ?? {};
    return JSON.parse(JSON.stringify({ ...object, metadata })) as KubeObject;
  });
}

interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
}

/** What an apply may change: all but the status, and what the status's writers leave in the metadata. */
function written(object: Live<KubeObject>) {
  const { status: _, metadata, ...rest } = object as Live<KubeObject> & { status?: unknown };
  const { managedFields = [] } = metadata as { managedFields?: readonly ManagedFields[] };
  return {
    ...rest,
    generation: metadata.generation,
    labels: metadata.labels,
    ours: managedFields.filter(({ manager, operation }) => manager === fieldManager && operation === "Apply"),
  };
}

/** The pods of a replica, as their controllers would make them. */
function podsOf(given: Case, namespace: string): readonly KubeObject[] {
  const { serving, worker } = renderRevision(given).templates;
  return [serving, ...(worker === undefined ? [] : [worker])].map(({ metadata, spec }) => {
    // Admission asks for these objects first, which the pods of the case would find in their cluster.
    const { priorityClassName: _, runtimeClassName: __, ...others } = spec ?? { containers: [] };
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, name: "pod", namespace },
      spec: { ...others, serviceAccountName: "default" },
    } as KubeObject;
  });
}

describe("the API server", () => {
  let connection: ClusterClient;

  beforeAll(async () => {
    connection = await clusterClient(sharedCluster().kubeconfigPath);
  });

  afterAll(async () => {
    await connection[Symbol.asyncDispose]();
  });

  test.each(Object.values(cases))("stores every object of $name as written, and once", async (given) => {
    const { client } = connection;
    const namespace = await restrictedNamespace();
    for (const object of objectsOf(given, namespace)) {
      const type = childTypeOf(object);
      const first = await client.apply(type, object, { fieldManager });
      expect(findDrift(object, first)).toBeUndefined();
      const second = await client.apply(type, object, { fieldManager });
      expect(written(second)).toEqual(written(first));
    }
  });

  test.each(Object.values(cases))("admits the pods of $name to a restricted namespace", async (given) => {
    const namespace = await restrictedNamespace();
    for (const pod of podsOf(given, namespace)) {
      await expect(connection.client.create(pods, pod, { dryRun: true })).resolves.toMatchObject({
        metadata: { namespace },
      });
    }
  });

  test.each(Object.values(fabrics).filter(({ podSecurity }) => podSecurity !== "restricted"))(
    "refuses the pods of a group over $type there, as the operator foretells",
    async ({ type, podSecurity }) => {
      const plan = { ...cases.groupOfTwo.plan, fabric: type };
      expect(requiredPodSecurityLevel(plan)).toBe(podSecurity);
      const namespace = await restrictedNamespace();
      for (const pod of podsOf({ ...cases.groupOfTwo, plan }, namespace)) {
        const created = connection.client.create(pods, pod, { dryRun: true });
        await expect(created).rejects.toThrow(/violates PodSecurity "restricted/);
      }
    },
  );
});
