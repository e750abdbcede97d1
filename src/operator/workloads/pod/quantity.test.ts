import { describe, expect, it } from "vitest";
import { byteQuantity, countQuantity, cpuQuantity } from "./quantity.ts";

describe("quantities are spelled as the API server stores them", () => {
  it.each([
    [2 ** 30, "1Gi"],
    [1500 * 2 ** 30, "1500Gi"],
    [2048 * 2 ** 30, "2Ti"],
    [24 * 2 ** 20, "24Mi"],
    [1024 * 1000, "1000Ki"],
    [1024 * 1024 + 1, "1Mi"],
    [1023, "0"],
  ])("%d bytes", (bytes, expected) => {
    expect(byteQuantity(bytes)).toBe(expected);
  });

  it.each([
    [96_000, "96"],
    [1500, "1500m"],
    [500, "500m"],
    [1_000_000, "1k"],
  ])("%d millicores", (millicores, expected) => {
    expect(cpuQuantity(millicores)).toBe(expected);
  });

  it.each([
    [8, "8"],
    [0, "0"],
    [1000, "1k"],
    [1500, "1500"],
  ])("%d devices", (count, expected) => {
    expect(countQuantity(count)).toBe(expected);
  });
});
