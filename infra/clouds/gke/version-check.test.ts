import { expect, test } from "vitest";
import { checkVersion } from "./version-check.ts";
import type { SoldVersions } from "./version-check.ts";

const sold: SoldVersions = {
  valid: ["1.37.1-gke.1000", "1.36.2-gke.2000", "1.35.8-gke.3000", "1.35.7-gke.1000", "1.34.9-gke.1000"],
  channelDefault: "1.35.8-gke.3000",
  channelLatest: "1.36.2-gke.2000",
};
const found = (version: string | undefined, changes: Partial<SoldVersions> = {}, existing?: string) =>
  checkVersion(
    { releaseChannel: "REGULAR", region: "us-central1", ...(version === undefined ? {} : { version }) },
    { ...sold, ...changes },
    existing,
  ).problems;

test.each([undefined, "1.35", "1.36", "1.35.7", "1.35.8-gke.3000"])("%s is sold", (version) => {
  expect(found(version)).toEqual([]);
});

test.each(["1.35.6-gke.1000", "1.37", "1.35.80", "1.38"])("%s is not, and what is is said", (version) => {
  expect(found(version)).toEqual([
    `cluster.version: GKE sells no ${version} in us-central1 in the channel REGULAR (it has 1.35.8-gke.3000 by default, at most 1.36.2-gke.2000): write one of "1.35", "1.36"`,
  ]);
});

test("a cluster that is there as new as that is asked for nothing", () => {
  expect(found("1.35.6-gke.1000", {}, "1.36.2-gke.2000")).toEqual([]);
  expect(found("1.35", { valid: [], channelDefault: "1.36.2-gke.2000" }, "1.35.8-gke.3000")).toEqual([]);
  expect(found("1.37", {}, "1.36.2-gke.2000")).toHaveLength(1);
});

test("a channel that begins below what the operator needs is told what to write", () => {
  expect(found(undefined, { channelDefault: "1.34.9-gke.1000" })).toEqual([
    'cluster.version: the channel REGULAR begins with 1.34.9-gke.1000 in us-central1, and the operator needs 1.35: write "1.35", "1.36"',
  ]);
});
