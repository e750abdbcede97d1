import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { PropertyMap } from "../protocol/properties.ts";
import { HelmReleaseHandler } from "./helm-release.ts";

const example = join(import.meta.dirname, "../../testing/example-project/chart");
const handler = new HelmReleaseHandler({ kubeconfigPath: "/made-up", context: undefined }, "default");

/** What changes of the release where the chart, its arguments, or both do. */
async function changes(change: (folder: string) => PropertyMap): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "chart-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(example, folder, { recursive: true });
  const call = {
    type: "kubernetes:helm.sh/v3:Release",
    name: "chart",
    seed: new Uint8Array(),
    urn: "urn",
    signal: AbortSignal.timeout(10_000),
  };
  const inputs = { name: "chart", chart: folder };
  const before = await handler.check({ ...call, inputs, oldInputs: undefined });
  const after = await handler.check({ ...call, inputs: { ...inputs, ...change(folder) }, oldInputs: before });
  const diff = await handler.diff({
    ...call,
    id: "default/chart",
    inputs: after,
    oldInputs: before,
    state: { ...before, __inputs: before },
  });
  return diff.differences.map(({ path }) => path.join("."));
}

test("a chart that changes at the same version is no change, as in the real provider", async () => {
  expect(
    await changes((folder) => {
      appendFileSync(join(folder, "templates/config-map.yaml"), "# another chart\n");
      return {};
    }),
  ).toEqual([]);
});

test("another version of the chart is a change, and so is another argument", async () => {
  expect(
    await changes((folder) => {
      writeFileSync(join(folder, "Chart.yaml"), "apiVersion: v2\nname: chart\nversion: 9.9.9\n");
      return { description: "chart sha256:1", values: { text: "hello" } };
    }),
  ).toEqual(expect.arrayContaining(["version", "description", "values"]));
});
