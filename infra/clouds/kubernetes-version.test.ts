import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { leastMinor, minorOf, tooOld } from "./kubernetes-version.ts";

test("the least version is the one that the operator's chart asks for", async () => {
  const chart = await readFile(new URL("../../charts/llama-operator/Chart.yaml", import.meta.url), "utf8");
  expect(parse(chart)).toHaveProperty("kubeVersion", `>=1.${leastMinor}.0-0`);
});

test.each([
  ["1.34", 34],
  ["1.35.2", 35],
  ["1.36.1-gke.1829001", 36],
])("%s is of minor version %i", (version, minor) => {
  expect(minorOf(version)).toBe(minor);
});

test("an older control plane is refused with what to write; that of a channel is not known", () => {
  expect(tooOld("cluster.version", "1.34.3-gke.1444000")).toEqual([
    { path: "cluster.version", message: 'the operator needs Kubernetes 1.35: write "1.35" or later' },
  ]);
  expect(tooOld("cluster.version", "1.35")).toEqual([]);
  expect(tooOld("cluster.version", undefined)).toEqual([]);
});
