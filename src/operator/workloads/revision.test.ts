import { describe, expect, test } from "vitest";
import { llamaDeploymentSpec, structuralSchema } from "@llama-operator/llama/api";
import { controllerRevision, readRevision, RevisionUnreadable } from "./controller-revision.ts";
import { desiredObjects, workloads } from "./desired.ts";
import { cases } from "@llama-operator/llama/testing";
import {
  identityOf,
  intentOf,
  renderRevision,
  revisionHash,
  servingCommand,
  spansNodes,
  type RevisionData,
} from "./revision.ts";

const { owner, spec, plan } = cases.eightB;

function throughTheApiServer<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

describe("a revision's identity", () => {
  const hash = revisionHash(intentOf(spec, plan));

  test("stays, as long as nothing that shapes pods changes", () => {
    // Should this fail, an upgrade of the operator would restart every model: is that what you want?
    expect(hash).toBe("d3cd3c1ee3");
  });

  test.each([
    ["the number of replicas", { ...spec, replicas: 7 }, plan],
    ["the explanations of the plan", spec, { ...plan, because: ["another reason"] }],
    [
      "the estimates of the plan",
      spec,
      { ...plan, startupSeconds: 999, kvCacheTokens: 1, maxConcurrency: 9 },
    ],
    [
      "wishes that the plan already answers",
      { ...spec, context: { ...spec.context, minConcurrency: 2 } },
      plan,
    ],
  ])("does not depend on %s", (_, changedSpec, changedPlan) => {
    expect(revisionHash(intentOf(changedSpec, changedPlan))).toBe(hash);
  });

  test.each([
    ["the model's name", { ...spec, model: { ...spec.model, name: "other" } }, plan],
    ["the token's Secret", { ...spec, model: { name: spec.model.name } }, plan],
    ["the engine's flags", { ...spec, engine: { ...spec.engine, args: { seed: "1" } } }, plan],
    ["the engine's image", { ...spec, engine: { ...spec.engine, image: "other" } }, plan],
    ["a pod label", { ...spec, podTemplate: { ...spec.podTemplate, labels: { team: "x" } } }, plan],
    ["the tensor parallel degree", spec, { ...plan, tensor: 2 }],
    ["the longest request", spec, { ...plan, limits: { ...plan.limits, maxModelLen: 4096 } }],
    ["the format of the KV cache", spec, { ...plan, kvCache: "fp8" as const }],
  ])("depends on %s", (_, changedSpec, changedPlan) => {
    expect(revisionHash(intentOf(changedSpec, changedPlan))).not.toBe(hash);
  });

  test("does not depend on a field that a later release adds, at its default; another value is another revision", () => {
    const { engine, podTemplate } = llamaDeploymentSpec.shape;
    const hostUsers = { type: "boolean", default: true } as const;
    const known = structuralSchema(podTemplate);
    const later = { ...known, properties: { ...known.properties, hostUsers } };
    const schemas = { engine: structuralSchema(engine), podTemplate: later };
    const intent = intentOf(spec, plan);
    const filled = (value: boolean) => ({
      ...intent,
      podTemplate: { ...intent.podTemplate, hostUsers: value },
    });
    expect(identityOf(filled(true), schemas)).toBe(identityOf(intent, schemas));
    expect(identityOf(filled(false), schemas)).not.toBe(identityOf(intent, schemas));
  });

  test("does not depend on fields of a CRD that is newer than the operator, which ignores them", () => {
    const intent = intentOf(spec, plan);
    const env = [{ name: "A", secretKeyRef: { name: "a", key: "b" } }];
    const newer = [{ name: "A", secretKeyRef: { name: "a", key: "b", optional: false } }];
    const withEnv = { ...intent, engine: { ...intent.engine, env } };
    const filled = {
      ...intent,
      engine: { ...intent.engine, env: newer, sleepMode: false },
      podTemplate: { ...intent.podTemplate, hostIPC: false },
    };
    expect(identityOf(filled)).toBe(identityOf(withEnv));
  });

  test("does not depend on the pool and where it places pods: only the name of a revision does", () => {
    const pod = { ...plan.pod, gpuResourceName: "example.com/gpu", cpuMillicores: 1000 };
    const elsewhere = { ...plan, pool: "other", nodeSelector: { other: "pool" }, tolerations: [], pod };
    expect(identityOf(intentOf(spec, elsewhere))).toBe(identityOf(intentOf(spec, plan)));
    expect(revisionHash(intentOf(spec, elsewhere))).not.toBe(hash);
    const fabric = { ...plan, fabric: "efa" as const };
    expect(identityOf(intentOf(spec, fabric))).toBe(identityOf(intentOf(spec, plan)));
    const group = cases.groupOfTwo;
    const overEfa = { ...group.plan, fabric: "roce" as const };
    expect(identityOf(intentOf(group.spec, overEfa))).not.toBe(identityOf(intentOf(group.spec, group.plan)));
  });

  test("does not depend on the order in which a person wrote flags", () => {
    const withArgs = (args: Record<string, string>) =>
      revisionHash(intentOf(llamaDeploymentSpec.parse({ ...spec, engine: { args } }), plan));
    expect(withArgs({ seed: "1", "max-logprobs": "5" })).toBe(withArgs({ "max-logprobs": "5", seed: "1" }));
  });
});

describe("a stored revision", () => {
  test("gives the same workloads as the one that was rendered", () => {
    for (const given of Object.values(cases)) {
      const rendered = renderRevision(given);
      const read = readRevision(throughTheApiServer(controllerRevision(given.owner, rendered, 1)));
      const share = spansNodes(rendered) ? { slots: [0, 2] } : { replicas: 3 };
      expect(throughTheApiServer(workloads(given.owner, { ...share, revision: read }))).toEqual(
        throughTheApiServer(workloads(given.owner, { ...share, revision: rendered })),
      );
    }
  });

  test("keeps its identity when its plan is planned with again", () => {
    for (const given of Object.values(cases)) {
      const rendered = renderRevision(given);
      const read = readRevision(throughTheApiServer(controllerRevision(given.owner, rendered, 1)));
      expect(revisionHash(intentOf(given.spec, read.plan))).toBe(rendered.hash);
    }
  });

  test("is used as it is, though another operator rendered it otherwise and knew more fields", () => {
    const object = throughTheApiServer(controllerRevision(owner, renderRevision({ owner, spec, plan }), 1));
    const data = readRevision(object);
    const container = data.templates.serving.spec?.containers[0];
    if (container === undefined) throw new Error("the template has a container");
    container.args = ["--flag-of-tomorrow"];
    const tomorrow = { ...object, data: { ...data, plan: { ...data.plan, novelty: 1 }, novelty: true } };
    const [workload] = workloads(owner, { revision: readRevision(tomorrow), replicas: 1 });
    expect(JSON.stringify(workload)).toContain("--flag-of-tomorrow");
    expect(readRevision(tomorrow)).toMatchObject({ novelty: true, plan: { novelty: 1 } });
  });

  test.each([
    ["nothing", undefined],
    ["something else", { spec: {} }],
    ["no container", { ...renderRevision({ owner, spec, plan }), templates: { serving: { spec: {} } } }],
  ])("with %s in it is refused by name", (_, data) => {
    const read = () => readRevision({ metadata: { name: "chat-0123456789" }, data });
    expect(read).toThrow(RevisionUnreadable);
    expect(read).toThrow(/chat-0123456789/);
  });

  test("says how the serving rank is run", () => {
    const { image, command } = servingCommand(renderRevision(cases.groupOfTwo));
    expect(image).toBe("vllm/vllm-openai:v0.32.0");
    expect(command.slice(0, 3)).toEqual(["vllm", "serve", "meta-llama/Llama-3.1-405B-Instruct"]);
    expect(command).toContain("--node-rank=0");
  });
});

describe("the objects of a LlamaDeployment", () => {
  const revision = renderRevision({ owner, spec, plan });
  const group = renderRevision(cases.groupOfTwo);

  test("are all controlled by it and carry its labels", () => {
    const objects = [
      ...desiredObjects({
        owner,
        workloads: [
          { revision, replicas: 1 },
          { revision: group, slots: [0] },
        ],
      }),
      controllerRevision(owner, revision, 1),
    ];
    for (const { metadata } of objects) {
      expect(metadata).toMatchObject({
        namespace: owner.namespace,
        labels: {
          "llama-operator.dev/deployment": owner.name,
          "app.kubernetes.io/managed-by": "llama-operator",
        },
        ownerReferences: [{ uid: owner.uid, controller: true, blockOwnerDeletion: true }],
      });
    }
  });

  test("hold one Deployment for a revision on single nodes and one LeaderWorkerSet for each replica over several", () => {
    const kinds = desiredObjects({
      owner,
      workloads: [
        { revision, replicas: 4 },
        { revision: group, slots: [1, 3] },
      ],
    }).map(({ kind }) => kind);
    expect(kinds).toEqual([
      "ServiceAccount",
      "Service",
      "PodDisruptionBudget",
      "Deployment",
      "LeaderWorkerSet",
      "LeaderWorkerSet",
    ]);
  });

  test("hold no ServiceAccount where a person names one", () => {
    const named = renderRevision(cases.seventyB);
    const kindsOf = (...revisions: readonly RevisionData[]) =>
      desiredObjects({ owner, workloads: revisions.map((each) => ({ revision: each, replicas: 1 })) }).map(
        ({ kind }) => kind,
      );
    expect(kindsOf(named)).toEqual(["Service", "PodDisruptionBudget", "Deployment"]);
    // While pods of an older revision still run as ours, it stays.
    expect(kindsOf(revision, named)).toContain("ServiceAccount");
  });

  test("let a Deployment outlast the start of its pods before it says that it does not progress", () => {
    const [workload] = workloads(owner, { revision, replicas: 1 });
    const deadline = workload?.kind === "Deployment" ? workload.spec?.progressDeadlineSeconds : undefined;
    expect(deadline).toBeGreaterThan(revision.startupBudgetSeconds);
  });
});
