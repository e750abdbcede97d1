// Certificates that a process makes for itself, in memory: ECDSA P-256, self-signed, for a TLS server alone. A
// client that is to trust one is given the certificate itself.
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import * as der from "./der.ts";

export interface CertificateRequest {
  /** Who it speaks for. */
  readonly commonName: string;
  /** DNS names and IP addresses by which the server is called. */
  readonly names: readonly string[];
  /** Milliseconds since 1970; kept in whole seconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Both in PEM. */
export interface SelfSignedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** X.509 version 3 by RFC 5280. The key is new each time. */
export function selfSignedCertificate(request: CertificateRequest): SelfSignedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // ecdsa-with-SHA256: RFC 5758, 3.2.
  const algorithm = der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"));
  const commonName = der.sequence(der.objectIdentifier("2.5.4.3"), der.utf8String(request.commonName));
  const name = der.sequence(der.set(commonName));
  const content = der.sequence(
    der.tagged(0xa0, der.integer(Buffer.from([2]))),
    der.integer(serialNumber()),
    algorithm,
    name,
    der.sequence(der.time(request.notBeforeMs), der.time(request.notAfterMs)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der.tagged(0xa3, extensions(request.names)),
  );
  const signature = der.bitString(sign("sha256", content, privateKey));
  const certificate = der.sequence(content, algorithm, signature);
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** 16 random bytes, made positive and without a leading zero. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function extensions(names: readonly string[]): Buffer {
  const extension = (identifier: string, critical: boolean, value: Buffer): Buffer =>
    der.sequence(
      der.objectIdentifier(identifier),
      ...(critical ? [der.boolean(true)] : []),
      der.octetString(value),
    );
  return der.sequence(
    // subjectAltName
    extension("2.5.29.17", false, der.sequence(...names.map(generalName))),
    // basicConstraints: no authority, so that it vouches for itself alone
    extension("2.5.29.19", true, der.sequence()),
    // keyUsage: digitalSignature, bit 0
    extension("2.5.29.15", true, der.bitString(Buffer.from([0x80]), 7)),
    // extKeyUsage: serverAuth
    extension("2.5.29.37", false, der.sequence(der.objectIdentifier("1.3.6.1.5.5.7.3.1"))),
  );
}

/** [7] iPAddress or [2] dNSName. */
function generalName(name: string): Buffer {
  switch (isIP(name)) {
    case 4:
      return der.tagged(0x87, Buffer.from(name.split(".").map(Number)));
    case 6:
      return der.tagged(0x87, ipv6Bytes(name));
    default:
      return der.tagged(0x82, Buffer.from(name, "ascii"));
  }
}

/** Of the form that URLs give addresses: hexadecimal groups, at most one `::`. */
function ipv6Bytes(address: string): Buffer {
  const [head = "", tail = ""] = address.split("::");
  const groupsOf = (text: string): readonly string[] => (text === "" ? [] : text.split(":"));
  const [left, right] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return Buffer.from(
    [...left, ...zeros, ...right].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}
