import { runtime } from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { EksGpuDrivers } from "./gpu-drivers.ts";
import type { EksGpuDriversArgs } from "./gpu-drivers.ts";

const releases = new Map<string, Readonly<Record<string, unknown>>>();

beforeAll(async () => {
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      if (type === "kubernetes:helm.sh/v3:Release") {
        releases.set(name, inputs as Readonly<Record<string, unknown>>);
      }
      return { id: name, state: inputs as object };
    },
  });
});

beforeEach(() => releases.clear());

async function install(args: EksGpuDriversArgs): Promise<readonly string[]> {
  const drivers = new EksGpuDrivers("gpu-drivers", args, { provider: new Provider("cluster", {}) });
  await Promise.all(
    drivers.releases.map(
      async ({ name }) =>
        new Promise((resolve) => {
          name.apply(resolve);
        }),
    ),
  );
  await runtime.disconnect();
  return [...releases.keys()];
}

test("device plugins come from their repositories, at the locked versions, to nodes with a label", async () => {
  expect(await install({ driver: "image", efa: true })).toEqual([
    "nvidia-device-plugin",
    "aws-efa-k8s-device-plugin",
  ]);
  expect(releases.get("aws-efa-k8s-device-plugin")).toMatchObject({
    chart: "aws-efa-k8s-device-plugin",
    version: "v0.5.7",
    namespace: "kube-system",
    repositoryOpts: { repo: "https://aws.github.io/eks-charts" },
    values: { nodeSelector: { "vpc.amazonaws.com/efa.present": "true" } },
  });
});

test("EFA's plugin stays away where no pool has EFA", async () => {
  expect(await install({ driver: "image", efa: false })).toEqual(["nvidia-device-plugin"]);
});

test("the GPU Operator brings its plugin in place of NVIDIA's own, and neither driver nor toolkit", async () => {
  expect(await install({ driver: "gpuOperator", efa: false })).toEqual(["gpu-operator"]);
  expect(releases.get("gpu-operator")).toMatchObject({
    namespace: "gpu-operator",
    values: { driver: { enabled: false }, toolkit: { enabled: false } },
  });
});
