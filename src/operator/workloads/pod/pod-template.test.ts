import type { IContainer } from "kubernetes-models/v1/Container";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import { describe, expect, test } from "vitest";
import { fabrics } from "@llama-operator/llama/catalog";
import { engineFor } from "@llama-operator/llama/engines";
import { cases, type Case } from "@llama-operator/llama/testing";
import { podLabels } from "../labels.ts";
import { podTemplate } from "./pod-template.ts";
import { startupBudgetSeconds } from "./probes.ts";
import { requiredPodSecurityLevel } from "../security.ts";

type Role = "single" | "leader" | "worker";

const { serving } = engineFor("vllm");

const everyRank: readonly (readonly [name: string, given: Case, role: Role])[] = Object.values(cases).flatMap(
  (given): (readonly [string, Case, Role])[] =>
    given.plan.nodesPerReplica > 1
      ? [
          [`${given.name}, leader`, given, "leader"],
          [`${given.name}, worker`, given, "worker"],
        ]
      : [[given.name, given, "single"]],
);

function render({ owner, spec, plan }: Case, role: Role) {
  const template = podTemplate({ owner, spec, plan, revision: "0123456789", rank: { role } });
  const pod = template.spec;
  const container = pod?.containers[0];
  if (pod === undefined || container === undefined) throw new Error("a template has a pod with a container");
  return { template, pod, container };
}

/** What Pod Security "restricted" asks of a pod; an empty list where it would be admitted. */
function breachesOfRestricted(pod: IPodSpec): readonly string[] {
  const containers = [...pod.containers, ...(pod.initContainers ?? []), ...(pod.ephemeralContainers ?? [])];
  const allowedVolumes = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
  ];
  const breach = (holds: boolean, rule: string) => (holds ? [] : [rule]);
  const ofPod = [
    ...breach(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, "no host namespaces"),
    ...(pod.volumes ?? []).flatMap((volume) =>
      breach(
        Object.keys(volume).every((key) => key === "name" || allowedVolumes.includes(key)),
        `volume ${volume.name} is of an allowed type`,
      ),
    ),
  ];
  const ofContainer = ({ name, securityContext, ports }: IContainer) => {
    const nonRoot = securityContext?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot;
    const user = securityContext?.runAsUser ?? pod.securityContext?.runAsUser;
    const seccomp = (securityContext?.seccompProfile ?? pod.securityContext?.seccompProfile)?.type;
    const { drop = [], add = [] } = securityContext?.capabilities ?? {};
    return [
      ...breach(nonRoot === true && user !== 0, `${name} runs as non-root`),
      ...breach(seccomp === "RuntimeDefault" || seccomp === "Localhost", `${name} has a seccomp profile`),
      ...breach(securityContext?.privileged !== true, `${name} is not privileged`),
      ...breach(securityContext?.allowPrivilegeEscalation === false, `${name} cannot gain privileges`),
      ...breach(drop.includes("ALL"), `${name} drops all capabilities`),
      ...breach(
        add.every((capability) => capability === "NET_BIND_SERVICE"),
        `${name} adds no capability`,
      ),
      ...breach(
        (ports ?? []).every(({ hostPort }) => hostPort === undefined),
        `${name} has no host port`,
      ),
    ];
  };
  return [...ofPod, ...containers.flatMap(ofContainer)];
}

describe("a pod", () => {
  test.each(everyRank)(
    "is admitted under the Pod Security level that is stated for it: %s",
    (_, given, role) => {
      expect(requiredPodSecurityLevel(given.plan)).toBe("restricted");
      expect(breachesOfRestricted(render(given, role).pod)).toEqual([]);
    },
  );

  test.each(Object.values(fabrics))(
    "over the fabric $type needs just the level that the fabric states",
    (fabric) => {
      const plan = { ...cases.groupOfTwo.plan, fabric: fabric.type };
      const { pod } = render({ ...cases.groupOfTwo, plan }, "worker");
      expect(breachesOfRestricted(pod).length === 0).toBe(requiredPodSecurityLevel(plan) === "restricted");
      expect(requiredPodSecurityLevel({ ...plan, nodesPerReplica: 1 })).toBe("restricted");
    },
  );

  test("over a fabric that pins memory is root with that capability alone, since others would not get it", () => {
    const plan = { ...cases.groupOfTwo.plan, fabric: "infiniband" as const };
    const { pod, container } = render({ ...cases.groupOfTwo, plan }, "leader");
    expect(pod.securityContext?.runAsUser).toBe(0);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: ["IPC_LOCK"] },
    });
  });

  test.each(everyRank)("has a volume for every directory that its engine writes to: %s", (_, given, role) => {
    const { pod, container } = render(given, role);
    expect(container.securityContext?.readOnlyRootFilesystem).toBe(true);
    const writable = (container.volumeMounts ?? []).filter(({ readOnly }) => readOnly !== true);
    const home = container.env?.find(({ name }) => name === "HOME")?.value;
    expect(writable.map(({ mountPath }) => mountPath)).toEqual(
      expect.arrayContaining(["/dev/shm", "/tmp", home]),
    );
    expect((container.volumeMounts ?? []).map(({ name }) => name)).toEqual(
      (pod.volumes ?? []).map(({ name }) => name),
    );
  });

  test("reads weights on a volume from a mount that it cannot write to", () => {
    const { pod, container } = render(cases.fromVolume, "single");
    const claim = pod.volumes?.find(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined);
    expect(claim?.persistentVolumeClaim).toEqual({ claimName: "weights", readOnly: true });
    const mount = container.volumeMounts?.find(({ name }) => name === claim?.name);
    expect(mount).toMatchObject({ mountPath: "/models", readOnly: true });
    expect(container.args?.[0]).toBe("/models/llama/8b");
  });

  test("holds the plan's devices, memory and fabric to the unit, and no CPU limit", () => {
    const { container } = render(cases.overEfa, "worker");
    expect(container.resources?.limits).toEqual({
      memory: "1500Gi",
      "ephemeral-storage": "832Gi",
      "nvidia.com/gpu": "8",
      "vpc.amazonaws.com/efa": "32",
    });
    expect(container.resources?.requests).toEqual({ ...container.resources?.limits, cpu: "192" });
  });

  test("asks for no disk where none is planned", () => {
    const { plan } = cases.fromVolume;
    const given = { ...cases.fromVolume, plan: { ...plan, pod: { ...plan.pod, ephemeralStorageBytes: 0 } } };
    const { container } = render(given, "single");
    expect(container.resources?.limits).toEqual({ memory: "96Gi", "nvidia.com/gpu": "1" });
  });

  test.each([
    ["4", "4"],
    ["1000", "1k"],
    ["4000m", "4"],
    ["1.5", "1.5"],
  ])("asks for a fabric's %s devices as %s", (stated, expected) => {
    const { plan } = cases.overEfa;
    const pod = { ...plan.pod, fabric: { "rdma/ib": stated } };
    const { container } = render({ ...cases.overEfa, plan: { ...plan, pod } }, "worker");
    expect(container.resources?.limits?.["rdma/ib"]).toBe(expected);
  });

  test("takes a person's metadata and scheduling wishes", () => {
    const { template, pod } = render(cases.seventyB, "single");
    expect(template.metadata?.labels).toMatchObject({ team: "search" });
    expect(template.metadata?.annotations).toEqual({ "sim.llama-operator.dev/crash": "after=5s" });
    expect(pod).toMatchObject({
      priorityClassName: "serving",
      serviceAccountName: "search",
      imagePullSecrets: [{ name: "registry" }],
      schedulerName: "packing",
      runtimeClassName: "nvidia",
    });
  });

  test("keeps its own labels and annotations whatever a person writes", () => {
    const hostile = {
      ...podLabels("someone-else", "ffffffffff", "worker"),
      "llama-operator.dev/other": "x",
      "leaderworkerset.sigs.k8s.io/name": "someone-else",
    };
    const { spec } = cases.eightB;
    const forced = {
      ...cases.eightB,
      spec: { ...spec, podTemplate: { ...spec.podTemplate, labels: hostile, annotations: hostile } },
    };
    const { template } = render(forced, "single");
    expect(template.metadata?.labels).toEqual(podLabels(cases.eightB.owner.name, "0123456789", "serving"));
    expect(Object.keys(template.metadata?.annotations ?? {})).not.toContain(
      "leaderworkerset.sigs.k8s.io/name",
    );
  });

  test.each(everyRank)("leaves its engine's last words in its status: %s", (_, given, role) => {
    expect(render(given, role).container.terminationMessagePolicy).toBe("FallbackToLogsOnError");
  });

  test("names Secrets and holds none", () => {
    for (const [, given, role] of everyRank) {
      for (const { name, value, valueFrom } of render(given, role).container.env ?? []) {
        if (!/TOKEN|KEY|SECRET|PASSWORD/.test(name)) continue;
        expect(value).toBeUndefined();
        expect(valueFrom?.secretKeyRef?.name).toBeTypeOf("string");
      }
    }
  });
});

describe("a pod's end", () => {
  test.each(everyRank)("leaves time for preStop and drain within the grace period: %s", (_, given, role) => {
    const { pod, container } = render(given, role);
    const sleep = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const grace = pod.terminationGracePeriodSeconds ?? 0;
    const drain = role === "worker" ? 0 : serving.shutdownTimeoutSeconds;
    expect(sleep).toBeGreaterThan(0);
    expect(sleep + drain).toBeLessThan(grace);
    const flag = `--shutdown-timeout=${serving.shutdownTimeoutSeconds}`;
    expect(container.args?.includes(flag)).toBe(role !== "worker");
  });

  test("comes for a headless rank only after its leader has drained, since it ends at once on SIGTERM", () => {
    const leader = render(cases.groupOfTwo, "leader");
    const worker = render(cases.groupOfTwo, "worker");
    const leaderGone =
      (leader.container.lifecycle?.preStop?.sleep?.seconds ?? 0) + serving.shutdownTimeoutSeconds;
    expect(worker.container.lifecycle?.preStop?.sleep?.seconds).toBeGreaterThan(leaderGone);
    expect(worker.pod.terminationGracePeriodSeconds).toBe(leader.pod.terminationGracePeriodSeconds);
  });
});

describe("probes", () => {
  test("allow a start three times slower than planned, and never less than ten minutes", () => {
    expect(startupBudgetSeconds({ startupSeconds: 1000, nodesPerReplica: 1 })).toBe(3000);
    expect(startupBudgetSeconds({ startupSeconds: 1, nodesPerReplica: 1 })).toBe(600);
    expect(startupBudgetSeconds({ startupSeconds: 333.4, nodesPerReplica: 1 })).toBe(1010);
  });

  test("allow a leader the time in which other nodes pull the image", () => {
    expect(startupBudgetSeconds({ startupSeconds: 1000, nodesPerReplica: 2 })).toBe(3600);
  });

  test("spend the whole start-up budget before they start a loading engine anew", () => {
    const { container } = render(cases.fourHundredFiveB, "single");
    const { periodSeconds = 0, failureThreshold = 0 } = container.startupProbe ?? {};
    expect(periodSeconds * failureThreshold).toBe(startupBudgetSeconds(cases.fourHundredFiveB.plan));
  });

  test("bear a busy engine's silence for two minutes", () => {
    const { container } = render(cases.eightB, "single");
    const { periodSeconds = 0, failureThreshold = 0 } = container.livenessProbe ?? {};
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(120);
  });

  test("are for ranks that serve HTTP", () => {
    const { container } = render(cases.groupOfTwo, "worker");
    expect(container.startupProbe ?? container.readinessProbe ?? container.livenessProbe).toBeUndefined();
    expect(container.ports).toBeUndefined();
    expect(render(cases.groupOfTwo, "leader").container.readinessProbe).toBeDefined();
  });
});
