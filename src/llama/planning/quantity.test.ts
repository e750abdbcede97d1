import { expect, test } from "vitest";
import { quantityValue } from "./quantity.ts";

test.each([
  ["8", 8],
  ["500m", 0.5],
  ["1900Gi", 1900 * 2 ** 30],
  ["1.5Ti", 1.5 * 2 ** 40],
  ["240830Mi", 240_830 * 2 ** 20],
  ["27e12", 27e12],
  ["2T", 2e12],
  ["3k", 3000],
])("%s is %d", (quantity, value) => {
  expect(quantityValue(quantity)).toBe(value);
});

test.each(["", "Gi", "1 Gi", "-1", "1ki", "1e", "0x10"])("%j is no quantity", (text) => {
  expect(quantityValue(text)).toBeUndefined();
});
