import { describe, expect, test } from "vitest";

import { type PropertyMap, textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudAccount, CloudRecord, CloudView } from "../cloud.ts";
import { types } from "./names.ts";
import { nodePool } from "./node-pool.ts";

const clusterId = "projects/p/locations/us-central1/clusters/c";

function record(type: string, id: string, inputs: PropertyMap, serial: number): CloudRecord {
  return { package: "gcp", type, id, inputs, outputs: inputs, serial };
}

const withoutDefaultPool = {
  name: "c",
  removeDefaultNodePool: true,
  datapathProvider: "ADVANCED_DATAPATH",
  nodeLocations: ["us-central1-a", "us-central1-b"],
};

function cloudWith(
  pools: readonly CloudRecord[] = [],
  account: CloudAccount = {},
  cluster: PropertyMap = withoutDefaultPool,
): CloudView {
  const all = [record(types.cluster, clusterId, cluster, 1), ...pools];
  const records = (type?: string) => all.filter((each) => type === undefined || each.type === type);
  return {
    provider: { project: "p", region: "us-central1" },
    account,
    records,
    find: (type, id) => records(type).find((each) => each.id === id),
    apiServer: { host: "127.3.255.254:26443", certificateAuthority: "" },
  };
}

const accelerator = (driver?: string) => ({
  type: "nvidia-h100-80gb",
  count: 8,
  ...(driver === undefined ? {} : { gpuDriverInstallationConfig: { gpuDriverVersion: driver } }),
});

function gpuPool(config: PropertyMap = {}, more: PropertyMap = {}): PropertyMap {
  const nodeConfig = { machineType: "a3-highgpu-8g", guestAccelerators: [accelerator("DEFAULT")], ...config };
  return {
    name: "gpus",
    cluster: clusterId,
    nodeCount: 1,
    nodeLocations: ["us-central1-a"],
    ...more,
    nodeConfig,
  };
}

const pool = (inputs: PropertyMap, serial = 9) =>
  record(types.nodePool, `${clusterId}/nodePools/${textOf(inputs["name"])}`, inputs, serial);
const systemPool = pool(
  { name: "system", cluster: clusterId, nodeConfig: { machineType: "e2-standard-4" } },
  2,
);

const nodesOf = (inputs: PropertyMap, cloud = cloudWith([systemPool])) =>
  nodePool.nodes?.(pool(inputs), cloud);
const refusalOf = (inputs: PropertyMap, cloud = cloudWith()) => nodePool.refusal?.(inputs, cloud);

describe("the nodes of a pool", () => {
  test("are counted per zone, and by an autoscaler's totals", () => {
    const zones = { nodeLocations: ["us-central1-a", "us-central1-b"] };
    expect(nodesOf(gpuPool({}, { ...zones, nodeCount: 2 }))).toMatchObject({ count: 4 });
    const autoscaling = { totalMinNodeCount: 1, totalMaxNodeCount: 4 };
    expect(nodesOf(gpuPool({}, { ...zones, nodeCount: null, autoscaling }))).toMatchObject({
      count: 1,
    });
  });

  test("are in the cluster's zones where the pool names none", () => {
    const { nodeLocations: _, ...inputs } = gpuPool();
    expect(nodesOf(inputs)?.zones).toEqual(["us-central1-a", "us-central1-b"]);
  });

  test("have GKE's taint only where another pool of the cluster has no GPUs", () => {
    const gpuTaint = [{ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" }];
    expect(nodesOf(gpuPool())?.taints).toEqual(gpuTaint);
    expect(nodesOf(gpuPool(), cloudWith())?.taints).toEqual([]);
    expect(nodesOf(gpuPool(), cloudWith([], {}, { name: "c", initialNodeCount: 1 }))?.taints).toEqual(
      gpuTaint,
    );
  });

  test("give GPUs by the managed driver alone, or need an installer", () => {
    expect(nodesOf(gpuPool())?.devices).toMatchObject([{ count: 8, needs: [], conflicts: ["driver"] }]);
    const none = gpuPool({ guestAccelerators: [accelerator()] });
    expect(nodesOf(none)?.devices).toMatchObject([{ needs: ["cos-nvidia-installer"] }]);
    const ownPlugin = gpuPool({ labels: { "gke-no-default-nvidia-gpu-device-plugin": "true" } });
    expect(nodesOf(ownPlugin)?.devices).toMatchObject([
      { needs: ["cos-nvidia-installer", "k8s-device-plugin"], conflicts: [] },
    ]);
  });

  test("have the local SSDs for pods only where the pool asks for them", () => {
    const bytes = (inputs: PropertyMap) => nodesOf(inputs)?.machine.allocatable.ephemeralStorageBytes ?? 0;
    expect(bytes(gpuPool())).toBeLessThan(100 * 2 ** 30);
    expect(bytes(gpuPool({ ephemeralStorageLocalSsdConfig: { localSsdCount: 16 } }))).toBeGreaterThan(
      5000 * 2 ** 30,
    );
  });
});

describe("a pool is refused", () => {
  const flexStart = { flexStart: true, reservationAffinity: { consumeReservationType: "NO_RESERVATION" } };
  const specific = {
    reservationAffinity: {
      consumeReservationType: "SPECIFIC_RESERVATION",
      key: "compute.googleapis.com/reservation-name",
      values: ["mine"],
    },
  };
  const reservation = { name: "mine", zone: "us-central1-a", machineType: "a3-highgpu-8g", count: 2 };
  const reserved = (more: object = {}) => cloudWith([], { reservations: [{ ...reservation, ...more }] });

  const cases: readonly (readonly [string, PropertyMap, string, CloudView?])[] = [
    ["without its cluster", gpuPool({}, { cluster: "gone" }), "Not found"],
    ["with a machine that there is not", gpuPool({ machineType: "a3-hugegpu-8g" }), "does not exist"],
    ["with another GPU than its machine's", gpuPool({ machineType: "a3-megagpu-8g" }), "not supported"],
    ["in another region", gpuPool({}, { nodeLocations: ["us-east4-a"] }), "not in the cluster's region"],
    [
      "compact by a policy that there is not",
      gpuPool({}, { placementPolicy: { type: "COMPACT", policyName: "gone" } }),
      'Resource policy "gone" was not found',
    ],
    ["flex-start with repair", gpuPool(flexStart), "auto-repair"],
    ["flex-start of a fixed size", gpuPool(flexStart, { management: { autoRepair: false } }), "autoscaling"],
    ["queued with a reservation", gpuPool({}, { queuedProvisioning: { enabled: true } }), "NO_RESERVATION"],
    ["spot with a reservation", gpuPool({ ...specific, spot: true }), "Spot VMs cannot"],
    ["with a reservation that there is not", gpuPool(specific), "was not found"],
    ["larger than its reservation", gpuPool(specific, { nodeCount: 3 }), "has 2 instances left", reserved()],
    [
      "with a reservation of other machines",
      gpuPool(specific),
      "is of machine type a3-megagpu-8g",
      reserved({ machineType: "a3-megagpu-8g" }),
    ],
    [
      "in networks of a cluster with one",
      gpuPool({}, { networkConfig: { additionalNodeNetworkConfigs: [{ network: "n" }] } }),
      "multi-networking",
    ],
    [
      "that no upgrade could touch",
      gpuPool({}, { upgradeSettings: { maxSurge: 0, maxUnavailable: 0 } }),
      "max_surge or max_unavailable",
    ],
    [
      "beyond the quota that other pools have left",
      gpuPool({}, { name: "second" }),
      "is short '8.0'",
      cloudWith([pool(gpuPool())], { quotas: { "NVIDIA_H100@us-central1": 8 } }),
    ],
  ];
  for (const [name, inputs, message, cloud] of cases) {
    test(name, () => {
      expect(refusalOf(inputs, cloud)).toContain(message);
    });
  }

  const taken: readonly (readonly [string, PropertyMap, CloudView?])[] = [
    ["as it is meant", gpuPool()],
    ["of its reservation", gpuPool(specific, { nodeCount: 2 }), reserved()],
    [
      "flex-start as GKE wants it",
      gpuPool(flexStart, { management: { autoRepair: false }, autoscaling: { totalMaxNodeCount: 2 } }),
    ],
  ];
  for (const [name, inputs, cloud] of taken) {
    test(`never ${name}`, () => {
      expect(refusalOf(inputs, cloud)).toBeUndefined();
    });
  }
});
