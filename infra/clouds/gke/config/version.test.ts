import { expect, test } from "vitest";
import { isAtLeast, missedFloor } from "./version.ts";

test.each([
  ["1.34.1-gke.1829001", "1.34.1-gke.1829001", true],
  ["1.34.1-gke.1829000", "1.34.1-gke.1829001", false],
  ["1.34.2-gke.1", "1.34.1-gke.1829001", true],
  ["1.33.9-gke.9999999", "1.34.1-gke.1829001", false],
  ["1.35.0-gke.1", "1.34.1-gke.1829001", true],
])("%s is at least %s: %s", (version, floor, expected) => {
  expect(isAtLeast(version, floor)).toBe(expected);
});

test("a floor is that of the minor version; later ones have none, earlier ones are too old", () => {
  const floors = ["1.31.1-gke.2008000", "1.32.11-gke.1174000"];
  expect(missedFloor("1.31.1-gke.2008000", floors)).toBeUndefined();
  expect(missedFloor("1.32.2-gke.1", floors)).toBe("1.32.11-gke.1174000");
  expect(missedFloor("1.33.0-gke.1", floors)).toBeUndefined();
  expect(missedFloor("1.30.9-gke.1", floors)).toBe("1.31.1-gke.2008000");
});
