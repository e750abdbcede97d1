import { describe, expect, test } from "vitest";
import { selfSignedCertificate } from "@llama-operator/kube-runtime/certificates";
import { bundleWith } from "./bundle.ts";

const now = Date.parse("2026-11-26T10:00:00Z");
const hour = 3_600_000;

/** A certificate of `owner` that begins `bornHours` from now and lives for `lifeHours`. */
function certificate(owner: string, bornHours = 0, lifeHours = 24): string {
  const notBeforeMs = now + bornHours * hour;
  const notAfterMs = notBeforeMs + lifeHours * hour;
  return selfSignedCertificate({ commonName: owner, names: ["localhost"], notBeforeMs, notAfterMs }).cert;
}

const encoded = (...pems: readonly string[]) => Buffer.from(pems.join("")).toString("base64");
const decoded = (bundle: string) =>
  Buffer.from(bundle, "base64")
    .toString()
    .match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];

describe("a bundle", () => {
  test("that is missing holds one's own certificates", () => {
    const mine = certificate("a");
    expect(bundleWith(undefined, [mine], now)).toBe(encoded(mine));
  });

  test("that holds them stays as it is, to the byte, whoever looks", () => {
    const [a, b] = [certificate("a", -2), certificate("b", -1)];
    const both = bundleWith(bundleWith("", [a], now), [b], now);
    expect(both).toBe(encoded(a, b));
    expect(bundleWith(both, [a], now)).toBe(both);
    expect(bundleWith(both, [b], now)).toBe(both);
  });

  test("keeps the others' certificates, and drops what has expired and what is none", () => {
    const [mine, other, expired] = [certificate("a"), certificate("b", -1), certificate("c", -48)];
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    expect(bundleWith(encoded(expired, broken, other, "words"), [mine], now)).toBe(encoded(other, mine));
  });

  test("keeps two of a replica, the newest: one that is served and the next", () => {
    const older = [certificate("b", -3), certificate("b", -2), certificate("b", -1)];
    const mine = certificate("a");
    expect(decoded(bundleWith(encoded(...older), [mine], now))).toEqual([older[1], older[2], mine]);
  });

  test("counts what a restart of one's own left behind", () => {
    const before = [certificate("a", -3), certificate("a", -2)];
    const mine = certificate("a");
    expect(decoded(bundleWith(encoded(...before), [mine], now))).toEqual([before[1], mine]);
  });

  test("holds 32 certificates at most, the newest, and one's own however old", () => {
    const others = Array.from({ length: 40 }, (_, index) => certificate(`pod-${index}`, -(index + 1) / 10));
    const mine = certificate("a", -20);
    const kept = decoded(bundleWith(encoded(...others), [mine], now));
    expect(kept).toHaveLength(32);
    expect(kept[0]).toBe(mine);
    expect(new Set(kept)).toEqual(new Set([mine, ...others.slice(0, 31)]));
  });
});
