import { output } from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { poolRecord } from "./pool-record.ts";

const field = (path: string) => ({ field: path, reason: "it is fixed", source: "a page" });

test("a record holds the value of each replacing field, and null where it was not set", () => {
  const args = { nodeConfig: { machineType: "a3-highgpu-8g", labels: { a: "b" } }, nodeCount: 2 };
  const fields = [field("nodeConfig.machineType"), field("nodeConfig.taints"), field("initialNodeCount")];
  expect(poolRecord(args, fields)).toEqual({
    "nodeConfig.machineType": "a3-highgpu-8g",
    "nodeConfig.taints": null,
    initialNodeCount: null,
  });
});

test("[] stands for every element of a list", () => {
  const driver = { gpuDriverVersion: "LATEST" };
  const args = { guestAccelerators: [{ count: 8, driver }, { count: 1 }] };
  expect(poolRecord(args, [field("guestAccelerators[].driver.gpuDriverVersion")])).toEqual({
    "guestAccelerators[].driver.gpuDriverVersion": ["LATEST", null],
  });
});

test("a field that holds an Output is left out, wherever in it that is", () => {
  const args = { subnets: [output("a")], network: output("b"), zone: "c" };
  expect(poolRecord(args, [field("subnets"), field("network.name"), field("zone")])).toEqual({ zone: "c" });
});

test("what is undefined in a value is not in its record", () => {
  const args = { taints: [{ value: undefined, key: "gpu", effect: "NoSchedule" }] };
  expect(JSON.stringify(poolRecord(args, [field("taints")]))).toBe(
    '{"taints":[{"effect":"NoSchedule","key":"gpu"}]}',
  );
});
