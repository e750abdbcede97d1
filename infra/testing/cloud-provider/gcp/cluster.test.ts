import { expect, test } from "vitest";
import { gkeCluster } from "../../../clouds/gke/config/cluster.ts";
import { clusterArgs } from "../../../clouds/gke/components/cluster-args.ts";
import type { PropertyMap } from "../../../local-engine/protocol/properties.ts";
import type { CloudAccount, CloudRecord, CloudView } from "../cloud.ts";
import { cluster } from "./cluster.ts";
import { types } from "./names.ts";

const record = (type: string, id: string, inputs: PropertyMap, outputs: PropertyMap = {}): CloudRecord => ({
  package: "gcp",
  type,
  id,
  inputs,
  outputs: { ...inputs, ...outputs },
  serial: 1,
});

function cloud(account: CloudAccount): CloudView {
  const all = [record(types.network, "n", { name: "n" }), record(types.subnetwork, "s", { name: "s" })];
  const records = (type?: string) => all.filter((each) => type === undefined || each.type === type);
  return {
    provider: { project: "my-project", region: "us-central1" },
    account,
    records,
    find: (type, id) => records(type).find((each) => each.id === id),
    apiServer: { host: "127.0.0.1:1", certificateAuthority: "" },
  };
}

const written = gkeCluster.parse({
  kind: "gke",
  project: "my-project",
  region: "us-central1",
  name: "llama",
  version: "1.35",
  authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
});

/** What the component asks for: plain values but for what it types as an Input. */
const asked = clusterArgs(written, {
  networkId: "n",
  subnetworkId: "s",
  multiNetwork: false,
  serviceAccount: "nodes@my-project.iam.gserviceaccount.com",
}) as PropertyMap;
const { nodeConfig: _, ...bare } = asked;

test("a hardened project refuses the pool that a cluster is made with, unless its nodes are the stack's own", () => {
  const account = { defaultServiceAccountDisabled: true, shieldedVmRequired: true };
  expect(cluster.refusal?.(asked, cloud(account))).toBeUndefined();
  expect(cluster.refusal?.(bare, cloud(account))).toContain(
    'compute@developer.gserviceaccount.com" is disabled',
  );
  expect(cluster.refusal?.(bare, cloud({ shieldedVmRequired: true }))).toContain("requireShieldedVm");
  expect(cluster.refusal?.(bare, cloud({}))).toBeUndefined();
});

test("a version is refused where it is sold no more, and a cluster that was made with it is left alone", () => {
  const account = { versions: ["1.36.1-gke.1000"] };
  const there = record(types.cluster, "c", asked, { masterVersion: "1.35.8-gke.1" });
  expect(cluster.refusal?.(asked, cloud(account))).toContain(
    'No valid versions with the prefix "1.35" found.',
  );
  expect(cluster.refusal?.({ ...asked, minMasterVersion: "1.35.8-gke.1" }, cloud(account))).toContain(
    'Master version "1.35.8-gke.1" is unsupported.',
  );
  expect(cluster.refusal?.(asked, cloud(account), there)).toBeUndefined();
  expect(cluster.refusal?.({ ...asked, minMasterVersion: "1.36" }, cloud(account), there)).toBeUndefined();
});
