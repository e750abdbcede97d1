// A component that a release renames, on the real engine: with an alias nothing that it has made is replaced.

import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import { kubectl, sharedCluster } from "../support/cluster.ts";
import { ran, testEngine } from "../support/pulumi.ts";

const projectDir = fileURLToPath(new URL("../../infra/testing/renamed-project", import.meta.url));
const cluster = sharedCluster();
const engine = await testEngine((cleanUp) => afterAll(cleanUp));

const named = (name: string, formerName?: string) => ({
  config: {
    "renamed:kubeconfig": cluster.kubeconfigPath,
    "renamed:name": name,
    "renamed:formerName": formerName,
  },
});
const uid = async () =>
  kubectl(cluster, ["get", "namespace", "lws-system", "-o", "jsonpath={.metadata.uid}"]);

test("an alias of the component keeps all that is in it, and without one all of it would be made anew", async () => {
  expect((await ran(engine.up(projectDir, "test", named("lws")))).exitCode).toBe(0);
  const before = await uid();
  const without = await ran(engine.preview(projectDir, "test", named("leader-worker-set")));
  expect(resourceChanges(without.events)).toMatchObject({ create: 3, delete: 3 });
  const renamed = await ran(engine.up(projectDir, "test", named("leader-worker-set", "lws")));
  expect(renamed.exitCode).toBe(0);
  expect(steps(renamed.events).filter((step) => !step.startsWith("same "))).toEqual([]);
  expect(await uid()).toBe(before);
  // The alias may go once every stack has been up with it: the state has the new names.
  const later = await ran(engine.up(projectDir, "test", named("leader-worker-set")));
  expect(Object.keys(resourceChanges(later.events))).toEqual(["same"]);
  expect((await ran(engine.destroy(projectDir, "test"))).exitCode).toBe(0);
});
