import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Container, Pod, PodSpec } from "../pod.ts";
import { writeVolumes } from "./volumes.ts";

const account = "/var/run/secrets/kubernetes.io/serviceaccount";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "volumes-"));
});
afterEach(async () => rm(folder, { recursive: true }));

const data: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "ConfigMap system/kube-root-ca.crt": { "ca.crt": "CA" },
  "ConfigMap system/settings": { "a.yaml": "a", "b.yaml": "b" },
  "Secret system/keys": { key: "k" },
};

async function write(volumes: PodSpec["volumes"], volumeMounts: NonNullable<Container["volumeMounts"]>) {
  const container: Container = { name: "operator", volumeMounts };
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "operator-1", namespace: "system", uid: "u-1", resourceVersion: "1" },
    spec: { containers: [container], ...(volumes === undefined ? {} : { volumes }) },
  };
  return writeVolumes(container, folder, {
    pod,
    nodeAddress: undefined,
    readData: async (kind, namespace, name) => data[`${kind} ${namespace}/${name}`],
    requestToken: async (_, { expirationSeconds }) => ({ token: "TOKEN", lifeSeconds: expirationSeconds }),
  });
}

test("the account's volume, as the API server adds it to a pod, has token, authority and namespace", async () => {
  const projected = {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  };
  const { mounts, tokens } = await write(
    [{ name: "kube-api-access-x", projected }],
    [{ name: "kube-api-access-x", mountPath: account }],
  );
  const read = async (file: string) => readFile(join(mounts[account] ?? "", file), "utf8");
  expect(await Promise.all(["token", "ca.crt", "namespace"].map(read))).toEqual(["TOKEN", "CA", "system"]);
  expect(tokens).toEqual([
    { path: join(mounts[account] ?? "", "token"), spec: { expirationSeconds: 3607 }, lifeSeconds: 3607 },
  ]);
});

test("a ConfigMap's and a Secret's keys are files, all or those that are named", async () => {
  const { mounts } = await write(
    [
      { name: "all", configMap: { name: "settings" } },
      { name: "some", configMap: { name: "settings", items: [{ key: "b.yaml", path: "deep/b" }] } },
      { name: "keys", secret: { secretName: "keys" } },
    ],
    ["all", "some", "keys"].map((name) => ({ name, mountPath: `/etc/${name}` })),
  );
  const read = async (mount: string, file: string) => readFile(join(mounts[mount] ?? "", file), "utf8");
  expect(await read("/etc/all", "a.yaml")).toBe("a");
  expect(await read("/etc/some", "deep/b")).toBe("b");
  await expect(read("/etc/some", "a.yaml")).rejects.toThrow("ENOENT");
  expect(await read("/etc/keys", "key")).toBe("k");
});

test("what is missing is said in a kubelet's words, and optional things may be missing", async () => {
  const mounts = [{ name: "settings", mountPath: "/etc/settings" }];
  const missing = { name: "none" };
  await expect(write([{ name: "settings", configMap: missing }], mounts)).rejects.toThrow(
    'MountVolume.SetUp failed for volume "settings": configmap "none" not found',
  );
  const items = [{ key: "none", path: "x" }];
  await expect(write([{ name: "settings", configMap: { name: "settings", items } }], mounts)).rejects.toThrow(
    "references non-existent key: none in ConfigMap system/settings",
  );
  await expect(
    write([{ name: "settings", configMap: { ...missing, optional: true } }], mounts),
  ).resolves.toMatchObject({ tokens: [] });
});

test("a kind of volume that has no stand-in is refused", async () => {
  await expect(
    write([{ name: "disk", hostPath: { path: "/" } }], [{ name: "disk", mountPath: "/disk" }]),
  ).rejects.toThrow("have a stand-in here");
});
