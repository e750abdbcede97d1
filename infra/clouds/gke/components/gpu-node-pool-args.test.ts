import { expect, test } from "vitest";
import { gkePool } from "../config/pool.ts";
import { gpuNodePoolOptions } from "./gpu-node-pool.ts";
import { gpuNodePoolArgs } from "./gpu-node-pool-args.ts";

const place = {
  cluster: { project: "my-project", region: "us-central1" },
  clusterId: "projects/my-project/locations/us-central1/clusters/llama",
  serviceAccount: "llama-nodes@my-project.iam.gserviceaccount.com",
  networks: [{ network: "llama-gpu-0", subnetwork: "llama-gpu-0" }],
};

const pool = (changes: object = {}) =>
  gkePool.parse({
    name: "h100",
    machineShape: "a3-highgpu-8g",
    zones: ["us-central1-a"],
    nodes: { min: 2, max: 2 },
    ...changes,
  });

const args = (changes: object = {}) => gpuNodePoolArgs(pool(changes), place);
const reserved = { kind: "reserved", reservation: "r" };
const flexStart = { capacity: { kind: "flexStart", maxRunSeconds: 3600 }, nodes: { min: 0, max: 3 } };

test("all that GKE is asked of a pool of a reservation", () => {
  expect(args({ capacity: reserved, placement: "compact", fabric: { kind: "multiNetwork" } }))
    .toMatchInlineSnapshot(`
    {
      "cluster": "projects/my-project/locations/us-central1/clusters/llama",
      "location": "us-central1",
      "maintenancePolicies": [
        {
          "exclusionUntilEndOfSupports": [
            {
              "enabled": true,
            },
          ],
        },
      ],
      "management": {
        "autoRepair": true,
        "autoUpgrade": true,
      },
      "name": "h100",
      "networkConfig": {
        "additionalNodeNetworkConfigs": [
          {
            "network": "llama-gpu-0",
            "subnetwork": "llama-gpu-0",
          },
        ],
        "enablePrivateNodes": true,
      },
      "nodeConfig": {
        "diskSizeGb": 100,
        "ephemeralStorageLocalSsdConfig": {
          "localSsdCount": 16,
        },
        "guestAccelerators": [
          {
            "count": 8,
            "gpuDriverInstallationConfig": {
              "gpuDriverVersion": "DEFAULT",
            },
            "type": "nvidia-h100-80gb",
          },
        ],
        "gvnic": {
          "enabled": true,
        },
        "imageType": "COS_CONTAINERD",
        "machineType": "a3-highgpu-8g",
        "metadata": {
          "disable-legacy-endpoints": "true",
        },
        "oauthScopes": [
          "https://www.googleapis.com/auth/cloud-platform",
        ],
        "reservationAffinity": {
          "consumeReservationType": "SPECIFIC_RESERVATION",
          "key": "compute.googleapis.com/reservation-name",
          "values": [
            "projects/my-project/reservations/r",
          ],
        },
        "serviceAccount": "llama-nodes@my-project.iam.gserviceaccount.com",
        "shieldedInstanceConfig": {
          "enableIntegrityMonitoring": true,
          "enableSecureBoot": true,
        },
        "taints": [
          {
            "effect": "NO_SCHEDULE",
            "key": "nvidia.com/gpu",
            "value": "present",
          },
        ],
        "workloadMetadataConfig": {
          "mode": "GKE_METADATA",
        },
      },
      "nodeCount": 2,
      "nodeLocations": [
        "us-central1-a",
      ],
      "placementPolicy": {
        "type": "COMPACT",
      },
      "project": "my-project",
      "upgradeSettings": {
        "maxSurge": 0,
        "maxUnavailable": 1,
        "strategy": "SURGE",
      },
    }
  `);
});

test.each([
  ["a3-highgpu-1g", 2],
  ["a3-highgpu-8g", 16],
  ["a3-megagpu-8g", 16],
  ["a3-ultragpu-8g", 32],
  ["a2-highgpu-8g", undefined],
])("all local SSDs of %s are ephemeral storage: %s", (machineShape, localSsdCount) => {
  const found = args({ machineShape }).nodeConfig;
  const expected = localSsdCount === undefined ? undefined : { localSsdCount };
  expect(found).toHaveProperty("machineType", machineShape);
  expect((found as { ephemeralStorageLocalSsdConfig?: unknown }).ephemeralStorageLocalSsdConfig).toEqual(
    expected,
  );
});

test("a pool of fixed size counts by zone; another one has an autoscaler, whose size is its own", () => {
  const zones = ["us-central1-a", "us-central1-b"];
  expect(args({ zones, nodes: { min: 4, max: 4 } })).toMatchObject({ nodeCount: 2 });
  const grows = { zones, nodes: { min: 2, max: 5 } };
  expect(args(grows)).toMatchObject({
    initialNodeCount: 1,
    autoscaling: { totalMinNodeCount: 2, totalMaxNodeCount: 5, locationPolicy: "ANY" },
  });
  expect(args(grows)).not.toHaveProperty("nodeCount");
  expect(gpuNodePoolOptions(pool(grows)).ignoreChanges).toEqual(["initialNodeCount", "nodeCount"]);
  expect(gpuNodePoolOptions(pool())).not.toHaveProperty("ignoreChanges");
});

test.each([
  ["onDemand", {}, { reservationAffinity: { consumeReservationType: "NO_RESERVATION" } }],
  ["spot", { capacity: { kind: "spot" } }, { spot: true }],
  ["flexStart", flexStart, { flexStart: true, maxRunDuration: "3600s" }],
  [
    "reserved",
    { capacity: { ...reserved, project: "other" } },
    { reservationAffinity: { values: ["projects/other/reservations/r"] } },
  ],
  [
    "a block of a reservation",
    { capacity: { ...reserved, block: "b" } },
    { reservationAffinity: { values: ["projects/my-project/reservations/r/reservationBlocks/b"] } },
  ],
])("capacity %s is said in the nodes' configuration", (_, changes, expected) => {
  expect(args(changes).nodeConfig).toMatchObject(expected);
});

test("flex-start nodes are not repaired, all others are unless said otherwise", () => {
  expect(args(flexStart).management).toMatchObject({ autoRepair: false });
  expect(args().management).toMatchObject({ autoRepair: true });
  expect(args({ repair: false }).management).toMatchObject({ autoRepair: false });
});

test("DRANET is a profile and a label, and the GPU Operator a label that keeps GKE's plugin and driver away", () => {
  expect(args({ fabric: { kind: "dranet" } })).toMatchObject({
    networkConfig: { acceleratorNetworkProfile: "auto" },
    nodeConfig: { labels: { "cloud.google.com/gke-networking-dra-driver": "true" } },
  });
  expect(args({ driver: "gpuOperator" }).nodeConfig).toMatchObject({
    labels: { "gke-no-default-nvidia-gpu-device-plugin": "true" },
    guestAccelerators: [{ gpuDriverInstallationConfig: { gpuDriverVersion: "INSTALLATION_DISABLED" } }],
  });
});

test("queued nodes and blue-green upgrades are asked for", () => {
  expect(args({ capacity: { kind: "queued" }, nodes: { min: 0, max: 2 } }).queuedProvisioning).toEqual({
    enabled: true,
  });
  expect(args({ upgrade: { strategy: "blueGreen" } }).upgradeSettings).toEqual({ strategy: "BLUE_GREEN" });
});

test("what was bought is protected unless the pool says no", () => {
  expect(gpuNodePoolOptions(pool()).protect).toBe(false);
  expect(gpuNodePoolOptions(pool({ capacity: reserved })).protect).toBe(true);
  expect(gpuNodePoolOptions(pool({ capacity: reserved, protect: false })).protect).toBe(false);
});
