import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { chartDigest, chartReference, leaderWorkerSet, llamaOperator } from "./add-ons.ts";

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

test("a chart of the repository is another one when a file of it changes, comes, goes or moves, at the same version", () => {
  const folder = mkdtempSync(join(tmpdir(), "chart-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, "charts/llama-operator"), folder, { recursive: true });
  const path = relative(root, folder);
  const digest = () => chartDigest({ ...llamaOperator, chart: { kind: "repository", path } });
  const digests = [digest()];
  expect(digests[0]).toBe(chartDigest(llamaOperator));
  for (const change of [
    () => writeFileSync(join(folder, "templates/more.yaml"), "kind: ConfigMap"),
    () => writeFileSync(join(folder, "templates/more.yaml"), "kind: Secret"),
    () => renameSync(join(folder, "templates/more.yaml"), join(folder, "more.yaml")),
    () => rmSync(join(folder, "values.yaml")),
  ]) {
    change();
    digests.push(digest());
  }
  expect(new Set(digests).size).toBe(5);
  expect(chartDigest(leaderWorkerSet)).toBeUndefined();
});
