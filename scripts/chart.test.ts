// Reads the chart without Helm: template actions are blanked, which leaves every line that Helm writes as it is.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { localChartValues } from "../local/operator-image.ts";
import { webhookConfiguration } from "../local/webhook-configuration.ts";
import { type ChartObject, renderChart } from "../test/support/chart/render.ts";

const chart = join(import.meta.dirname, "../charts/llama-operator");
const read = (path: string) => readFileSync(join(chart, path), "utf8");

/** The objects of a template: lines of actions alone are dropped, actions inside a line become a word. */
function objectsOf(template: string): readonly unknown[] {
  const text = template.replaceAll(/^\s*\{\{.*\}\}\n/gm, "").replaceAll(/\{\{.*?\}\}/g, "rendered");
  return parseAllDocuments(text).map((document): unknown => document.toJS());
}

const templates = readdirSync(join(chart, "templates")).filter((name) => name.endsWith(".yaml"));
interface Templated {
  readonly kind: string;
  readonly rules?: IClusterRole["rules"];
}
const objects = templates.flatMap((name) => objectsOf(read(`templates/${name}`))) as readonly Templated[];
const rules = objects.flatMap((object) => object.rules ?? []);

describe("the chart", () => {
  test("holds one object of each kind that it should", () => {
    expect(objects.map(({ kind }) => kind).sort()).toEqual([
      "ClusterRole",
      "ClusterRole",
      "ClusterRole",
      "ClusterRole",
      "ClusterRoleBinding",
      "ClusterRoleBinding",
      "ConfigMap",
      "Deployment",
      "Role",
      "RoleBinding",
      "Service",
      "Service",
      "ServiceAccount",
      "ValidatingWebhookConfiguration",
    ]);
  });

  test("closes every action that it opens", () => {
    for (const name of templates) {
      const actions = [...read(`templates/${name}`).matchAll(/\{\{-?\s*(if|with|range|define|end)\b/g)].map(
        ([, word]) => word,
      );
      const ends = actions.filter((word) => word === "end").length;
      expect(`${name}: ${actions.length - ends} opened`).toBe(`${name}: ${ends} opened`);
    }
  });

  test("has the version of package.json", () => {
    const { version } = parse(readFileSync(join(chart, "../../package.json"), "utf8")) as { version: string };
    expect(parse(read("Chart.yaml"))).toMatchObject({ version, appVersion: version });
  });

  test("needs no value: its image is the project's own, of the chart's version", async () => {
    const { version } = parse(read("Chart.yaml")) as { version: string };
    expect(containerOf(await rendered({}))?.image).toBe(`llama-operator.dev/llama-operator:${version}`);
  });
});

const operator = { image: "registry.example.com/llama-operator:0.1.0" };

type RenderedObject = ChartObject & {
  readonly spec?: IDeployment["spec"];
  readonly data?: Readonly<Record<string, string>>;
  readonly subjects?: readonly object[];
};

async function rendered(values: Readonly<Record<string, unknown>>, name = "llama-operator") {
  return renderChart<RenderedObject>({ name, namespace: "llama-system", values });
}

/** Names of what a release makes, but for the kinds of objects themselves. */
const namesOf = (all: readonly RenderedObject[]): readonly string[] =>
  all.filter(({ kind }) => kind !== "CustomResourceDefinition").map(({ metadata: { name } }) => name);

const containerOf = (all: readonly RenderedObject[]) =>
  all.find(({ kind }) => kind === "Deployment")?.spec?.template.spec?.containers[0];

describe("a release", () => {
  test("needs nothing but an image, and keeps its definitions when it is uninstalled", async () => {
    const all = await rendered({ operator });
    expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      "ServiceAccount llama-operator",
      "CustomResourceDefinition gpupools.llama-operator.dev",
      "CustomResourceDefinition llamadeployments.llama-operator.dev",
      "ClusterRole llama-operator-webhook",
      "ClusterRole llama-operator",
      "ClusterRole llama-operator-view",
      "ClusterRole llama-operator-edit",
      "ClusterRoleBinding llama-operator-webhook",
      "ClusterRoleBinding llama-operator",
      "Role llama-operator-lease",
      "RoleBinding llama-operator-lease",
      "Service llama-operator-webhook",
      "Deployment llama-operator",
      "ValidatingWebhookConfiguration llama-operator",
    ]);
    const kept = all.filter(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"] === "keep");
    expect(kept.every(({ kind }) => kind === "CustomResourceDefinition")).toBe(true);
    expect(kept).toHaveLength(2);
  });

  test.each([
    ["platform", {}, "platform-llama-operator"],
    ["llama-operator-two", {}, "llama-operator-two"],
    ["platform", { fullnameOverride: "models" }, "models"],
    [
      `a-release-of-a-name-of-the-most-that-helm-takes-53-char`,
      {},
      "a-release-of-a-name-of-the-most-that-helm-ta",
    ],
  ])("called %s with %j names all that it makes %s", async (name, values, first) => {
    const names = namesOf(await rendered({ ...values, planning: { measuredOverheads: [{}] } }, name));
    expect(names.length).toBeGreaterThan(10);
    for (const each of names) {
      expect(each === first || each.startsWith(`${first}-`)).toBe(true);
      expect(each.length).toBeLessThanOrEqual(63);
    }
  });

  test("leaves the number of replicas to whoever scales it, unless it is said", async () => {
    const replicasOf = (all: readonly RenderedObject[]) =>
      all.find(({ kind }) => kind === "Deployment")?.spec?.replicas;
    expect(replicasOf(await rendered({}))).toBeUndefined();
    expect(replicasOf(await rendered({ operator: { replicas: 2 } }))).toBe(2);
  });

  test("binds every role to its ServiceAccount, in its namespace", async () => {
    const subjects = (await rendered({ operator })).flatMap((each) => each.subjects ?? []);
    const account = { kind: "ServiceAccount", name: "llama-operator", namespace: "llama-system" };
    expect(subjects).toEqual([account, account, account]);
  });

  test("without the webhook has nothing of it", async () => {
    const all = await rendered({ operator, webhook: { enabled: false } });
    expect(all.filter(({ metadata }) => metadata.name.includes("webhook"))).toEqual([]);
    expect(containerOf(all)?.args).toEqual(["run"]);
    expect(containerOf(all)?.ports?.map(({ name }) => name)).toEqual(["metrics", "health"]);
  });

  test("mounts the measured overheads where the operator is told to read them", async () => {
    const measuredOverheads = [{ engine: "vllm", overheadBytes: 4e9 }];
    const all = await rendered({ operator, planning: { measuredOverheads } });
    const map = all.find(({ kind }) => kind === "ConfigMap");
    expect(parse(map?.data?.["measured-overheads.yaml"] ?? "")).toEqual(measuredOverheads);
    const [mount] = containerOf(all)?.volumeMounts ?? [];
    expect(containerOf(all)?.args).toContain(
      `--measured-overheads=${mount?.mountPath}/measured-overheads.yaml`,
    );
    const template = all.find(({ kind }) => kind === "Deployment")?.spec?.template;
    expect(template?.metadata?.annotations).toHaveProperty(["llama-operator.dev/measured-overheads"]);
  });

  test("of the local cluster has values that the schema knows", async () => {
    expect(schema.safeParse(localChartValues)).toMatchObject({ success: true });
    expect(containerOf(await rendered(localChartValues))?.image).toBe(localChartValues.operator.image);
  });
});

const schema = z.fromJSONSchema(JSON.parse(read("values.schema.json")) as z.core.JSONSchema.JSONSchema);

describe("the values", () => {
  test("satisfy their schema", () => {
    expect(schema.safeParse(parse(read("values.yaml")))).toMatchObject({ success: true });
  });

  test("may hold a parent chart's condition and its global values", () => {
    const asSubchart = { enabled: true, global: { imageRegistry: "registry.example.com" } };
    expect(schema.safeParse(asSubchart)).toMatchObject({ success: true });
  });

  test("are refused when one is misspelt", () => {
    expect(schema.safeParse({ operator: { replica: 2 } })).toMatchObject({ success: false });
  });

  test("are all read by a template, and no template reads another", () => {
    const all = readdirSync(join(chart, "templates"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.includes("."),
    );
    const text = all.map((name) => read(`templates/${name}`)).join("");
    const used = new Set([...text.matchAll(/\.Values\.([a-zA-Z.]+)/g)].map(([, path]) => path));
    const values = parse(read("values.yaml")) as Record<string, object | string>;
    const given = Object.entries(values).flatMap(([section, fields]) =>
      typeof fields === "string" ? [section] : Object.keys(fields).map((field) => `${section}.${field}`),
    );
    expect(used).toEqual(new Set(given));
  });
});

describe("the operator's pod", () => {
  const deployment = objects.find(({ kind }) => kind === "Deployment") as IDeployment;
  const pod = deployment.spec?.template.spec;

  test("meets Pod Security restricted, with a read-only root", () => {
    expect(pod?.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(pod?.containers.map(({ securityContext }) => securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    ]);
  });

  test("is probed by name of port, so that ports are said once", () => {
    const [operator] = pod?.containers ?? [];
    expect(operator?.livenessProbe?.httpGet).toEqual({ path: "/healthz", port: "health" });
    expect(operator?.readinessProbe?.httpGet).toEqual({ path: "/readyz", port: "health" });
    expect(operator?.ports?.map(({ name }) => name)).toEqual(["metrics", "health", "webhook"]);
  });

  test("serves the webhook at the port that the Service leads to", () => {
    const [operator] = pod?.containers ?? [];
    const port = operator?.ports?.find(({ name }) => name === "webhook")?.containerPort;
    expect(operator?.args).toContain(`--webhook-port=${port}`);
    expect(read("templates/webhook.yaml")).toContain("targetPort: webhook");
  });
});

describe("the webhook", () => {
  const kind = "ValidatingWebhookConfiguration";
  const [webhook, ...others] =
    (objects.find((object) => object.kind === kind) as { webhooks?: readonly Record<string, unknown>[] })
      .webhooks ?? [];

  test("is the one of the local cluster, which is called by URL", () => {
    const url = "https://127.0.0.1:1/validate";
    const local = webhookConfiguration({ name: "llama-operator", url }).webhooks[0];
    expect({ ...webhook, clientConfig: { url } }).toEqual(local);
    expect(others).toEqual([]);
  });

  test("leaves caBundle to the operator, so that an upgrade does not take it away", () => {
    expect(webhook?.["clientConfig"]).toEqual({
      service: { name: "rendered-webhook", namespace: "rendered", path: "/validate", port: 443 },
    });
  });
});

describe("the operator's rights", () => {
  test("name every group, resource and verb: no wildcard", () => {
    expect(JSON.stringify(rules)).not.toContain("*");
  });

  test("read no Secret, change no node or role, impersonate nobody, and change of pods what a patch can", () => {
    const reads = new Set(["get", "list", "watch"]);
    const writable = rules
      .filter(({ verbs }) => verbs.some((verb) => !reads.has(verb)))
      .flatMap(({ resources }) => resources ?? []);
    expect(rules.flatMap(({ resources }) => resources)).not.toContain("secrets");
    const podVerbs = rules
      .filter(({ resources }) => resources?.includes("pods"))
      .flatMap(({ verbs }) => verbs);
    expect(podVerbs).toEqual(["list", "watch", "patch"]);
    for (const resource of ["nodes", "namespaces", "clusterroles", "roles", "users"]) {
      expect(writable).not.toContain(resource);
    }
  });
});
