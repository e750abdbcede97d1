// The real engine on a real cluster with what stands in for the rest: a fixture project that has a little of
// everything goes up, changes, fails, recovers and comes down, as the projects' own tests may then rely on.

import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import type { RunOptions } from "../../infra/testing/pulumi.ts";
import { kubectl, sharedCluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { ran, testEngine } from "../support/pulumi.ts";

const cluster = sharedCluster();
const projectDir = fileURLToPath(new URL("../../infra/testing/example-project", import.meta.url));
const stack = "test";
const namespace = `engine-${randomBytes(4).toString("hex")}`;
const crd = "lamps.engine-test.llama-operator.dev";
const types = {
  configMap: "kubernetes:core/v1:ConfigMap",
  lamp: "kubernetes:engine-test.llama-operator.dev/v1:Lamp",
  secret: "kubernetes:core/v1:Secret",
};

const engine = await testEngine((cleanUp) => afterAll(cleanUp));

const up = async (options?: RunOptions) => ran(engine.up(projectDir, stack, options));
const get = async (...args: readonly string[]) => kubectl(cluster, ["get", "-n", namespace, ...args]);
const isThere = async (object: string) =>
  get(object).then(
    () => true,
    () => undefined,
  );

async function setReady(): Promise<void> {
  const status = { status: { conditions: [{ type: "Ready", status: "True" }] } };
  await eventually("the lamp is there", async () => isThere("lamp/lamp"));
  const patch = ["--subresource=status", "--type=merge", "-p", JSON.stringify(status)];
  await kubectl(cluster, ["patch", "lamp/lamp", "-n", namespace, ...patch]);
}

describe.sequential("a project", () => {
  test("is previewed without touching the cluster", async () => {
    const config = {
      "engine-test:kubeconfig": await readFile(cluster.kubeconfigPath, "utf8"),
      "engine-test:namespace": namespace,
      "engine-test:greeting": "hello",
      "engine-test:watts": 40,
      "engine-test:password": "correct horse",
      "engine-test:chartText": "first",
      "engine-test:protect": true,
    };
    const preview = await ran(engine.preview(projectDir, stack, { config }));
    expect(preview.exitCode).toBe(0);
    expect(resourceChanges(preview.events)).toEqual({ create: 8 });
    await expect(kubectl(cluster, ["get", "namespace", namespace])).rejects.toThrow("not found");
  });

  test("goes up, and is up when what it waits for is there", async () => {
    let over = false;
    const going = up().finally(() => {
      over = true;
    });
    await eventually("the lamp is there", async () => isThere("lamp/lamp"));
    await new Promise((resolve) => {
      setTimeout(resolve, 1000);
    });
    expect(over).toBe(false);
    await setReady();
    const result = await going;
    expect(result.exitCode).toBe(0);
    expect(resourceChanges(result.events)).toEqual({ create: 8 });
    expect(JSON.parse(await get("configmap/chart", "-o", "json"))).toMatchObject({ data: { text: "first" } });
    const outputs = await engine.stackOutputs(projectDir, stack);
    expect(outputs).toMatchObject({ chartRevision: 1, greetingName: expect.stringMatching(/^greeting-/) });
  });

  test("has nothing to do when it goes up again", async () => {
    const again = await up();
    expect(again.exitCode).toBe(0);
    expect(resourceChanges(again.events)).toEqual({ same: 8 });
  });

  test("keeps options and no secret in clear in its state", async () => {
    const state = await engine.stackExport(projectDir, stack);
    const lamp = state.deployment.resources?.find(({ type }) => type === types.lamp);
    expect(lamp).toMatchObject({ id: `${namespace}/lamp`, protect: true });
    expect(lamp?.dependencies).toHaveLength(2);
    const text = JSON.stringify(state);
    expect(text).not.toContain("correct horse");
    expect(text).not.toContain(Buffer.from("correct horse").toString("base64"));
    expect(text).not.toContain("client-key-data");
  });

  test("leaves its folder as it was", async () => {
    expect((await readdir(projectDir)).toSorted()).toEqual(["Pulumi.yaml", "chart", "index.ts"]);
  });

  test("finds what others have changed, and puts it right", async () => {
    await kubectl(cluster, [
      "patch",
      "lamp/lamp",
      "-n",
      namespace,
      "--type=merge",
      "-p",
      '{"spec":{"watts":1}}',
    ]);
    const refreshed = await ran(engine.refresh(projectDir, stack));
    expect(refreshed.exitCode).toBe(0);
    const refused = await up();
    expect(refused.exitCode).not.toBe(0);
    expect(errors(refused.events).join()).toContain("field conflict");
    const forced = await up({ environment: { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" } });
    expect(forced.exitCode).toBe(0);
    expect(await get("lamp/lamp", "-o", "jsonpath={.spec.watts}")).toBe("40");
  });

  test("replaces what cannot be changed and upgrades its chart", async () => {
    const config = { "engine-test:greeting": "good evening", "engine-test:chartText": "second" };
    const changed = await up({ config });
    expect(changed.exitCode).toBe(0);
    expect(steps(changed.events).filter((step) => !step.startsWith("same"))).toEqual(
      expect.arrayContaining([
        `create-replacement ${types.configMap} greeting`,
        "update kubernetes:helm.sh/v3:Release chart",
        `delete-replaced ${types.configMap} greeting`,
      ]),
    );
    expect(await engine.stackOutputs(projectDir, stack)).toMatchObject({ chartRevision: 2 });
    expect(JSON.parse(await get("configmap/chart", "-o", "json"))).toMatchObject({
      data: { text: "second" },
    });
  });

  test("is refused in the preview what the API server refuses", async () => {
    const preview = await ran(engine.preview(projectDir, stack, { config: { "engine-test:watts": 500 } }));
    expect(preview.exitCode).not.toBe(0);
    expect(errors(preview.events).join()).toContain("should be less than or equal to 100");
    await up({ config: { "engine-test:watts": 40 } });
  });

  test("goes up at the second try after the provider has refused", async () => {
    await engine.planFault({ operation: "update", type: types.lamp, effect: "refuse", message: "no power" });
    const refused = await up({ config: { "engine-test:watts": 60 } });
    expect(refused.exitCode).not.toBe(0);
    expect(errors(refused.events).join()).toContain("no power");
    expect((await up()).exitCode).toBe(0);
    expect(await get("lamp/lamp", "-o", "jsonpath={.spec.watts}")).toBe("60");
  });

  test("recovers when the engine is killed in a create", async () => {
    await engine.clearFaults();
    await engine.planFault({ operation: "create", type: types.secret, effect: "hang" });
    const kill = new AbortController();
    const going = up({ config: { "engine-test:password": "battery staple" }, signal: kill.signal });
    await eventually("the new secret is asked for", async () =>
      (await engine.countedCalls()) > 0 ? true : undefined,
    );
    expect(await isThere("secret/password")).toBeUndefined();
    kill.abort();
    expect((await going).exitCode).toBeNull();

    const locked = await up();
    expect(locked.exitCode).not.toBe(0);
    expect(locked.output).toContain("locked");
    expect((await engine.cancel(projectDir, stack)).exitCode).toBe(0);
    const recovered = await up();
    expect(recovered.exitCode).toBe(0);
    expect(await get("secret/password", "-o", "jsonpath={.data.password}")).toBe(
      Buffer.from("battery staple").toString("base64"),
    );
  });

  test("makes nothing twice when the provider dies after a create", async () => {
    await engine.planFault({ operation: "create", type: types.secret, effect: "dieAfterwards" });
    expect((await up({ config: { "engine-test:password": "again" } })).exitCode).not.toBe(0);
    const twice = await up();
    expect(twice.exitCode).not.toBe(0);
    expect(errors(twice.events).join()).toContain("already exists");
    await kubectl(cluster, ["delete", "secret/password", "-n", namespace]);
    expect((await up()).exitCode).toBe(0);
  });

  test("is not taken down while something in it is protected", async () => {
    const refused = await ran(engine.destroy(projectDir, stack));
    expect(refused.exitCode).not.toBe(0);
    expect(await isThere("lamp/lamp")).toBe(true);
    expect((await up({ config: { "engine-test:protect": false } })).exitCode).toBe(0);
  });

  test("comes down and leaves nothing", async () => {
    const destroyed = await ran(engine.destroy(projectDir, stack));
    expect(destroyed.exitCode).toBe(0);
    await expect(kubectl(cluster, ["get", "namespace", namespace])).rejects.toThrow("not found");
    await expect(kubectl(cluster, ["get", "crd", crd])).rejects.toThrow("not found");
    expect((await engine.stackExport(projectDir, stack)).deployment.resources ?? []).toEqual([]);
  });
});
