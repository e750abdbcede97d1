import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { chartReference, leaderWorkerSet, llamaOperator } from "./add-ons.ts";

const root = join(import.meta.dirname, "..");
const textOf = (path: string) => readFileSync(join(root, path), "utf8");

test("the operator's chart is locked at the version that the repository has", () => {
  const chart = parse(textOf("charts/llama-operator/Chart.yaml")) as { version: string };
  expect(llamaOperator.version).toBe(chart.version);
});

test("LeaderWorkerSet is locked at the version that the local cluster runs", () => {
  expect(textOf("local/tools/lws/go.mod")).toContain(`sigs.k8s.io/lws v${leaderWorkerSet.version} `);
});

test("a chart of the repository is named by a path that is the same in every checkout", () => {
  expect(chartReference(llamaOperator, join(root, "infra", "serving"))).toBe("../../charts/llama-operator");
  expect(chartReference(leaderWorkerSet, root)).toBe("oci://registry.k8s.io/lws/charts/lws");
});
