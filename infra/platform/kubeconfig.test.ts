import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { clusterAccess } from "./kubeconfig.ts";

const kubeconfig = {
  "current-context": "main",
  contexts: [
    { name: "main", context: { cluster: "c", user: "token" } },
    { name: "plugin", context: { cluster: "c", user: "plugin" } },
    { name: "broken", context: { cluster: "gone", user: "token" } },
  ],
  clusters: [{ name: "c", cluster: { server: "https://192.0.2.1:6443" } }],
  users: [
    { name: "token", user: { token: "made-up-secret" } },
    { name: "plugin", user: { exec: { command: "gke-gcloud-auth-plugin" } } },
  ],
};

async function kubeconfigFile(content: object = kubeconfig): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
  onTestFinished(async () => rm(folder, { recursive: true }));
  const path = join(folder, "config");
  await writeFile(path, stringify(content));
  return path;
}

test("only path, context and server are kept of a kubeconfig: no credential", async () => {
  const path = await kubeconfigFile();
  const access = await clusterAccess({ kind: "kubeconfig", path }, {});
  expect(access).toEqual({ kubeconfig: path, context: "main", server: "https://192.0.2.1:6443" });
});

test("the local cluster is the one that KUBECONFIG names", async () => {
  const path = await kubeconfigFile();
  const local = { kind: "local", name: "pulumi" } as const;
  expect((await clusterAccess(local, { KUBECONFIG: path })).kubeconfig).toBe(path);
  await expect(clusterAccess(local, {})).rejects.toThrow("npm run infra");
});

test("a plugin that is missing is named", async () => {
  const path = await kubeconfigFile();
  await expect(
    clusterAccess({ kind: "kubeconfig", path, context: "plugin" }, { PATH: "/nowhere" }),
  ).rejects.toThrow("logs in by the plugin gke-gcloud-auth-plugin, which is not on PATH: install it");
});

test.each([
  [{ context: "other" }, "has no context other; it has main, plugin, broken"],
  [{ context: "broken" }, "names no cluster with a server"],
])("%j is refused: %s", async (more, message) => {
  const path = await kubeconfigFile();
  await expect(clusterAccess({ kind: "kubeconfig", path, ...more }, {})).rejects.toThrow(message);
});

test("a kubeconfig that is missing, unsaid or one of several is told apart", async () => {
  const given = { kind: "kubeconfig" } as const;
  await expect(clusterAccess({ ...given, path: "/nowhere/config" }, {})).rejects.toThrow("cannot read");
  await expect(clusterAccess(given, {})).rejects.toThrow("write the path of the kubeconfig");
  await expect(clusterAccess(given, { KUBECONFIG: "/a:/b" })).rejects.toThrow("several files");
  const path = await kubeconfigFile({ contexts: [] });
  await expect(clusterAccess({ ...given, path }, {})).rejects.toThrow("no current context");
});
