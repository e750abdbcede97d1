import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { ServingCertificates } from "./certificates.ts";

const now = Date.parse("2026-11-26T10:00:00Z");
const hour = 3_600_000;
const day = 24 * hour;
const names = ["llama-operator-webhook.system.svc"];

test("the first certificate is served at once, lives a week, and is good an hour before it was made", () => {
  const certificates = new ServingCertificates({ owner: "llama-operator-0" });
  expect(certificates.serving).toBeUndefined();
  const [published = "", ...more] = certificates.rotate(names, now);
  expect(more).toEqual([]);
  expect(certificates.serving?.cert).toBe(published);
  const { subject, subjectAltName, validFrom, validTo } = new X509Certificate(published);
  expect({ subject, subjectAltName }).toEqual({
    subject: "CN=llama-operator-0",
    subjectAltName: `DNS:${names[0]}`,
  });
  expect(Date.parse(validFrom)).toBe(now - hour);
  expect(Date.parse(validTo)).toBe(now + 7 * day);
});

test("the next one is published at two thirds of the life, and served seven hours after that", () => {
  const certificates = new ServingCertificates({ owner: "a" });
  const [first = ""] = certificates.rotate(names, now);
  certificates.published(now);
  const renewAt = now + (7 * day * 2) / 3;
  expect(certificates.dueAtMs()).toBe(renewAt);
  expect(certificates.rotate(names, renewAt - 1)).toEqual([first]);

  const [kept, second] = certificates.rotate(names, renewAt);
  expect(kept).toBe(first);
  certificates.published(renewAt + 5000);
  expect(certificates.dueAtMs()).toBe(renewAt + 5000 + 7 * hour);
  certificates.rotate(names, renewAt + 7 * hour);
  expect(certificates.serving?.cert).toBe(first);
  expect(certificates.rotate(names, renewAt + 5000 + 7 * hour)).toEqual([second]);
  expect(certificates.serving?.cert).toBe(second);
});

test("the next one is not served before it is published, however late that is", () => {
  const certificates = new ServingCertificates({ owner: "a" });
  const [first] = certificates.rotate(names, now);
  certificates.rotate(names, now + 5 * day);
  certificates.rotate(names, now + 6 * day);
  expect(certificates.serving?.cert).toBe(first);
  expect(certificates.dueAtMs()).toBe(Number.POSITIVE_INFINITY);
});

test("an expired one is replaced at once: nothing else would be trusted", () => {
  const certificates = new ServingCertificates({ owner: "a" });
  const [first] = certificates.rotate(names, now);
  const [second, ...more] = certificates.rotate(names, now + 7 * day);
  expect(more).toEqual([]);
  expect(second).not.toBe(first);
  expect(certificates.serving?.cert).toBe(second);
});

test("other names want another certificate, and the same names the same", () => {
  const certificates = new ServingCertificates({ owner: "a" });
  const [first] = certificates.rotate(names, now);
  expect(certificates.rotate([...names], now)).toEqual([first]);
  const [second = ""] = certificates.rotate(["127.0.0.1"], now);
  expect(new X509Certificate(second).subjectAltName).toBe("IP Address:127.0.0.1");
  expect(certificates.serving?.cert).toBe(second);
});

test("a long name of a replica is cut at its beginning", () => {
  const certificates = new ServingCertificates({ owner: `${"x".repeat(80)}-7f9c` });
  const [published = ""] = certificates.rotate(names, now);
  expect(new X509Certificate(published).subject).toBe(`CN=${"x".repeat(59)}-7f9c`);
});
