import { runtime } from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { AksGpuDrivers } from "./gpu-drivers.ts";
import type { AksGpuDriversArgs } from "./gpu-drivers.ts";

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

const registered: Registered[] = [];
const releaseType = "kubernetes:helm.sh/v3:Release";

beforeAll(async () => {
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      registered.push({ type, name, inputs: inputs as Registered["inputs"] });
      return { id: `id-of-${name}`, state: { ...inputs } };
    },
  });
});

beforeEach(() => {
  registered.length = 0;
});

async function register(args: AksGpuDriversArgs): Promise<void> {
  const provider = new Provider("cluster");
  const drivers = new AksGpuDrivers("gpu-drivers", args, { provider });
  await new Promise<void>((resolve) => {
    drivers.urn.apply(() => resolve());
  });
  await runtime.disconnect();
}

const releases = () => registered.filter(({ type }) => type === releaseType).map(({ name }) => name);
const valuesOf = (release: string) =>
  registered.find(({ type, name }) => type === releaseType && name === release)?.inputs["values"];
const objectOf = (name: string) => registered.find((each) => each.name === name)?.inputs;

test("where AKS installs the driver, only the device plugin is installed, on nodes with NVIDIA's GPUs", async () => {
  await register({ driver: "install", infiniband: false });
  expect(releases()).toEqual(["nvidia-device-plugin"]);
  expect(valuesOf("nvidia-device-plugin")).toMatchObject({
    tolerations: [{ key: "sku", value: "gpu" }, { key: "kubernetes.azure.com/scalesetpriority" }],
  });
  expect(JSON.stringify(valuesOf("nvidia-device-plugin"))).toContain("kubernetes.azure.com/accelerator");
});

test("the GPU Operator brings driver, device plugin and feature discovery", async () => {
  await register({ driver: "gpuOperator", infiniband: false });
  expect(releases()).toEqual(["gpu-operator"]);
  expect(valuesOf("gpu-operator")).toMatchObject({
    driver: { enabled: true, rdma: { enabled: false } },
    nfd: { enabled: true },
  });
});

test("with InfiniBand the network operator comes first, and says what the nodes have", async () => {
  await register({ driver: "gpuOperator", infiniband: true });
  expect(releases()).toEqual(["network-operator", "gpu-operator"]);
  expect(valuesOf("gpu-operator")).toMatchObject({
    driver: { rdma: { enabled: true } },
    nfd: { enabled: false },
  });
  expect(objectOf("infiniband-rule")).toMatchObject({ kind: "NodeFeatureRule" });
  const { spec } = objectOf("nic-cluster-policy") as {
    readonly spec: { readonly rdmaSharedDevicePlugin: { readonly config: string } };
  };
  expect(JSON.parse(spec.rdmaSharedDevicePlugin.config)).toMatchObject({
    configList: [{ resourcePrefix: "rdma", resourceName: "shared_ib", rdmaHcaMax: 63 }],
  });
});

test("drivers may load kernel modules in their namespaces", async () => {
  await register({ driver: "gpuOperator", infiniband: true });
  for (const namespace of ["network-operator", "gpu-operator"]) {
    const found = registered.find(({ type, name }) => type.endsWith(":Namespace") && name === namespace);
    expect(found?.inputs["metadata"]).toMatchObject({
      labels: { "pod-security.kubernetes.io/enforce": "privileged" },
    });
  }
});
