// What the API server makes of the objects that operators write. Each kind is given values that the server is known
// to default, drop, reorder or write otherwise; at rest none of that may look like drift.
import { expect, test } from "vitest";
import { needsApply, withIntentHash } from "../../src/kube-runtime/apply/intent.ts";
import type { KubeObject, ObjectMeta } from "../../src/kube-runtime/client/object.ts";
import { resourceType, type ResourceType } from "../../src/kube-runtime/client/resource.ts";
import { sharedCluster, testNamespace } from "../support/cluster.ts";
import { configMap, configMaps, connectedClient } from "../support/kube-client.ts";

const annotation = "example.dev/intent";
const selector = { matchLabels: { app: "x" } };

const podSpec = {
  automountServiceAccountToken: false,
  hostNetwork: false,
  terminationGracePeriodSeconds: 120,
  nodeSelector: { disk: "fast" },
  priorityClassName: "",
  imagePullSecrets: [],
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 2000,
    seccompProfile: { type: "RuntimeDefault" },
    supplementalGroups: [],
  },
  tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: selector,
    },
  ],
  volumes: [
    { name: "shm", emptyDir: { medium: "Memory", sizeLimit: "1024Mi" } },
    { name: "cache", emptyDir: {} },
    { name: "models", persistentVolumeClaim: { claimName: "models", readOnly: true } },
  ],
  initContainers: [{ name: "first", image: "busybox", args: [], resources: {} }],
  containers: [
    {
      name: "engine",
      image: "example.dev/engine:1",
      command: ["serve"],
      args: ["--size=1000m"],
      env: [
        { name: "EMPTY", value: "" },
        { name: "TOKEN", valueFrom: { secretKeyRef: { name: "secret", key: "token" } } },
        { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      ],
      ports: [{ name: "http", containerPort: 8000 }],
      resources: {
        requests: { cpu: "1000m", memory: "1024Mi", "nvidia.com/gpu": "1" },
        limits: { cpu: "1.5", memory: "1.5Gi", "nvidia.com/gpu": 1 },
      },
      securityContext: {
        allowPrivilegeEscalation: false,
        privileged: false,
        capabilities: { drop: ["ALL"], add: [] },
      },
      startupProbe: { httpGet: { path: "/health", port: "http" }, periodSeconds: 10, failureThreshold: 100 },
      readinessProbe: { httpGet: { path: "/health", port: 8000 }, initialDelaySeconds: 0 },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
      volumeMounts: [
        { name: "shm", mountPath: "/dev/shm" },
        { name: "cache", mountPath: "/cache", readOnly: false },
      ],
    },
  ],
};
const template = { metadata: { labels: { app: "x" }, annotations: {} }, spec: podSpec };

interface Case {
  readonly type: ResourceType;
  readonly content: Readonly<Record<string, unknown>>;
}

function kind(
  group: string,
  version: string,
  name: string,
  content: Case["content"],
  plural = `${name.toLowerCase()}s`,
): Case {
  return { type: resourceType({ group, version, kind: name, plural, namespaced: true }), content };
}

const cases: readonly Case[] = [
  kind("apps", "v1", "Deployment", {
    spec: {
      replicas: 0,
      revisionHistoryLimit: 0,
      selector,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template,
    },
  }),
  kind("leaderworkerset.x-k8s.io", "v1", "LeaderWorkerSet", {
    spec: {
      replicas: 1,
      startupPolicy: "LeaderCreated",
      rolloutStrategy: {
        type: "RollingUpdate",
        rollingUpdateConfiguration: { maxSurge: 0, maxUnavailable: 1 },
      },
      leaderWorkerTemplate: {
        size: 2,
        restartPolicy: "RecreateGroupOnPodRestart",
        leaderTemplate: template,
        workerTemplate: template,
      },
    },
  }),
  kind("", "v1", "Service", {
    spec: {
      selector: { app: "x" },
      type: "ClusterIP",
      publishNotReadyAddresses: false,
      ports: [
        { name: "http", port: 80, targetPort: "http" },
        { name: "metrics", port: 81, targetPort: 8001, protocol: "TCP" },
      ],
    },
  }),
  kind("policy", "v1", "PodDisruptionBudget", {
    spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow", selector },
  }),
  kind("", "v1", "ServiceAccount", { automountServiceAccountToken: false }),
  kind(
    "networking.k8s.io",
    "v1",
    "NetworkPolicy",
    {
      spec: {
        podSelector: selector,
        policyTypes: ["Ingress"],
        ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 8000 }] }, {}],
        egress: [],
      },
    },
    "networkpolicies",
  ),
  kind("apps", "v1", "ControllerRevision", { revision: 1, data: { a: 1, b: null, c: [], d: {}, e: 1.5 } }),
  kind("", "v1", "ConfigMap", { data: { a: "1", b: "" } }),
];

test.for(cases)(
  "an applied $type.kind is as applied, and what somebody changes is seen and repaired",
  async ({ type, content }) => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const namespace = await testNamespace(cluster);
    const ref = { namespace, name: "child" };
    const owner = await client.create(configMaps, configMap(namespace, "owner"));
    const metadata: ObjectMeta = {
      ...ref,
      labels: { app: "x" },
      ownerReferences: [
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          name: "owner",
          uid: owner.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    };
    const apiVersion = type.group === "" ? type.version : `${type.group}/${type.version}`;
    const bare: KubeObject = { apiVersion, kind: type.kind, metadata };
    const intent = withIntentHash({ ...bare, ...content }, annotation);
    const options = { fieldManager: "intent-test" };
    const applied = await client.apply(type, intent, { ...options, force: false });
    expect(needsApply(intent, await client.get(type, ref), annotation)).toBeUndefined();
    await client.apply(
      type,
      { ...intent, metadata: { ...intent.metadata, uid: applied.metadata.uid } },
      options,
    );
    expect(needsApply(intent, await client.get(type, ref), annotation)).toBeUndefined();
    await client.mergePatch(type, ref, { metadata: { labels: { app: "edited" } } });
    expect(needsApply(intent, await client.get(type, ref), annotation)).toEqual({
      kind: "drift",
      path: "metadata.labels.app",
    });
    await client.apply(type, intent, options);
    expect(needsApply(intent, await client.get(type, ref), annotation)).toBeUndefined();
  },
);

const cluster = sharedCluster();
