import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { gpuOperator, leaderWorkerSet, networkOperator, nvidiaDevicePlugin } from "../add-ons.ts";
import { standInCharts, standInFor } from "./charts.ts";

test.each([
  ["gpu-operator", gpuOperator],
  ["lws", leaderWorkerSet],
  ["network-operator", networkOperator],
  ["nvidia-device-plugin", nvidiaDevicePlugin],
])("what stands for %s has the version of the lock table", (name, { version }) => {
  const text = readFileSync(
    join(standInFor(`oci://example.com/${name}`, standInCharts), "Chart.yaml"),
    "utf8",
  );
  expect(parse(text)).toMatchObject({ name, version });
});

test("a chart that nothing stands for is named", () => {
  expect(() => standInFor("other", standInCharts)).toThrow("nothing stands for the chart other");
});
