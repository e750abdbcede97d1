// OpenSSL, through Node, is the judge: it reads what was written, verifies it, and shakes hands with it.
import { X509Certificate } from "node:crypto";
import { connect, createServer } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { closeServer, listen } from "../http/serve.ts";
import { selfSignedCertificate } from "./self-signed.ts";

const now = Date.parse("2026-11-26T10:00:00Z");
const day = 86_400_000;
const request = {
  commonName: "llama-operator-0",
  names: ["webhook.system.svc", "127.0.0.1", "::1", "2001:db8::8:800:200c:417a"],
  notBeforeMs: now,
  notAfterMs: now + day,
};

test("reads back as it was asked for", () => {
  const certificate = new X509Certificate(selfSignedCertificate(request).cert);
  expect(certificate.subject).toBe("CN=llama-operator-0");
  expect(certificate.issuer).toBe("CN=llama-operator-0");
  expect(certificate.subjectAltName).toBe(
    "DNS:webhook.system.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:8:800:200C:417A",
  );
  expect(Date.parse(certificate.validFrom)).toBe(now);
  expect(Date.parse(certificate.validTo)).toBe(now + day);
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
});

test("holds times from 2050 on in their longer form", () => {
  const notAfterMs = Date.parse("2051-02-03T04:05:06Z");
  const certificate = new X509Certificate(selfSignedCertificate({ ...request, notAfterMs }).cert);
  expect(Date.parse(certificate.validTo)).toBe(notAfterMs);
});

test("every certificate has a key and a serial number of its own", () => {
  const made = Array.from({ length: 50 }, () => selfSignedCertificate(request));
  expect(new Set(made.map(({ key }) => key)).size).toBe(50);
  const serials = made.map(({ cert }) => new X509Certificate(cert).serialNumber);
  expect(new Set(serials).size).toBe(50);
  expect(serials.every((serial) => serial.length === 32)).toBe(true);
});

test("serves TLS to a client that trusts it, under its names alone", async () => {
  const certificate = selfSignedCertificate({
    ...request,
    notBeforeMs: Date.now() - 1000,
    notAfterMs: Date.now() + day,
  });
  const server = createServer(certificate, (socket) => socket.end("hello"));
  onTestFinished(async () => closeServer(server));
  const port = await listen(server, { host: "127.0.0.1" });
  const hear = async (options: object): Promise<string> => {
    const socket = connect({ port, host: "127.0.0.1", ...options });
    let heard = "";
    for await (const part of socket) heard += String(part);
    return heard;
  };
  const ca = certificate.cert;
  expect(await hear({ ca })).toBe("hello");
  expect(await hear({ ca, servername: "webhook.system.svc" })).toBe("hello");
  await expect(hear({ ca, servername: "other.system.svc" })).rejects.toThrow("altnames");
  await expect(hear({ ca: selfSignedCertificate(request).cert })).rejects.toThrow("self-signed");
});
