import { describe, expect, test } from "vitest";
import { quantityValue } from "@llama-operator/llama/planning";
import * as fc from "fast-check";
import { sameQuantity } from "../../../kube-runtime/apply/quantity.ts";
import { byteQuantity, countQuantity, cpuQuantity } from "./quantity.ts";

describe("quantities are spelled as the API server stores them", () => {
  test.each([
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

  test.each([
    [96_000, "96"],
    [1500, "1500m"],
    [500, "500m"],
    [1_000_000, "1k"],
  ])("%d millicores", (millicores, expected) => {
    expect(cpuQuantity(millicores)).toBe(expected);
  });

  test.each([
    [8, "8"],
    [0, "0"],
    [1000, "1k"],
    [1500, "1500"],
  ])("%d devices", (count, expected) => {
    expect(countQuantity(count)).toBe(expected);
  });
});

// Three things know how a quantity is spelled, in three parts; none may know the others.
describe("what is written is read back by the planner and by the runtime", () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 40 }).map((kibibytes) => kibibytes * 1024);
  const millicores = fc.integer({ min: 0, max: 2_000_000 });

  test("bytes, in whole KiB", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const written = byteQuantity(value);
        expect([quantityValue(written), sameQuantity(written, value)]).toEqual([value, true]);
        expect(sameQuantity(written, value + 1)).toBe(false);
      }),
    );
  });

  test("CPU, in millicores", () => {
    fc.assert(
      fc.property(millicores, (value) => {
        const written = cpuQuantity(value);
        expect(quantityValue(written)).toBeCloseTo(value / 1000, 9);
        expect(sameQuantity(written, `${value}m`)).toBe(true);
      }),
    );
  });

  test("devices", () => {
    fc.assert(
      fc.property(fc.nat(), (value) => {
        const written = countQuantity(value);
        expect([quantityValue(written), sameQuantity(written, value)]).toEqual([value, true]);
      }),
    );
  });
});
