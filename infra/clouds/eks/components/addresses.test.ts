import { expect, test } from "vitest";
import { privateSubnet, publicSubnet } from "./addresses.ts";

test("subnets are cut by index and never overlap", () => {
  const zones = [0, 1, 2, 3, 4, 5];
  expect(zones.map((zone) => privateSubnet("10.0.0.0/16", zone))).toEqual([
    "10.0.0.0/19",
    "10.0.32.0/19",
    "10.0.64.0/19",
    "10.0.96.0/19",
    "10.0.128.0/19",
    "10.0.160.0/19",
  ]);
  expect(zones.map((zone) => publicSubnet("10.0.0.0/16", zone)).slice(0, 2)).toEqual([
    "10.0.224.0/24",
    "10.0.225.0/24",
  ]);
});

test("a small network has the smallest subnets that EC2 makes", () => {
  expect(privateSubnet("172.31.16.0/20", 1)).toBe("172.31.18.0/23");
  expect(publicSubnet("172.31.16.0/20", 5)).toBe("172.31.30.80/28");
});
