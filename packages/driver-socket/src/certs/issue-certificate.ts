import { createHash, createPrivateKey, generateKeyPair, randomBytes, sign, X509Certificate, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";

import { bitString, boolean, context, integer, objectIdentifier, octetString, sequence, set, time, utf8String } from "./der.ts";

/** A certificate with its private key. */
export interface Identity {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

export interface IssueOptions {
  /** The subject's common name; for people, since names are checked by `hosts`. */
  readonly commonName: string;
  readonly use: "authority" | "server" | "client";
  /** Names and addresses that the certificate stands for. */
  readonly hosts?: readonly string[];
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Default: the certificate signs itself. */
  readonly issuer?: Identity | undefined;
}

const OID = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** Makes a new P-256 key and an X.509 certificate, version 3 (RFC 5280), for it. */
export async function issueCertificate({ commonName, use, hosts = [], validFrom, validTo, issuer }: IssueOptions): Promise<Identity> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const publicKeyInfo = publicKey.export({ type: "spki", format: "der" });
  const signer = issuer?.key ?? privateKey;
  const issuerName = issuer === undefined ? nameOf(commonName) : nameOf(commonNameOf(issuer.certificate));
  const issuerKeyId = keyId(issuer?.certificate.publicKey.export({ type: "spki", format: "der" }) ?? publicKeyInfo);
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const toBeSigned = sequence(
    context(0, true, integer(Buffer.of(2))),
    integer(positiveSerial()),
    algorithm,
    issuerName,
    sequence(time(validFrom), time(validTo)),
    nameOf(commonName),
    publicKeyInfo,
    context(
      3,
      true,
      sequence(
        extension(OID.basicConstraints, use === "authority" ? sequence(boolean(true), integer(Buffer.of(0))) : sequence(), true),
        extension(OID.keyUsage, use === "authority" ? SIGN_CERTIFICATES : SIGN_HANDSHAKES, true),
        extension(OID.subjectKeyIdentifier, octetString(keyId(publicKeyInfo))),
        extension(OID.authorityKeyIdentifier, sequence(context(0, false, issuerKeyId))),
        ...(use === "authority" ? [] : [extension(OID.extendedKeyUsage, sequence(objectIdentifier(use === "server" ? OID.serverAuth : OID.clientAuth)))]),
        ...(hosts.length === 0 ? [] : [extension(OID.subjectAltName, sequence(...hosts.map(generalName)))]),
      ),
    ),
  );
  const signature = sign("sha256", toBeSigned, signer);
  return { certificate: new X509Certificate(sequence(toBeSigned, algorithm, bitString(signature))), key: privateKey };
}

/** Certificate and key in one PEM file, which can be replaced in one step; readers take from it what they look for. */
export function formatIdentity({ certificate, key }: Identity): string {
  return `${formatCertificate(certificate)}${key.export({ type: "pkcs8", format: "pem" }).toString()}`;
}

/** Ends with a line feed. */
export function formatCertificate(certificate: X509Certificate): string {
  return `${certificate.toString().trimEnd()}\n`;
}

/** Reads what `formatIdentity` wrote. Throws when it isn't such a file. */
export function parseIdentity(text: string): Identity {
  return { certificate: new X509Certificate(text), key: createPrivateKey(text) };
}

/** Key usage: keyCertSign and cRLSign; digitalSignature. */
const SIGN_CERTIFICATES = bitString(Buffer.of(0x06), 1);
const SIGN_HANDSHAKES = bitString(Buffer.of(0x80), 7);

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier(OID.commonName), utf8String(commonName))));
}

function commonNameOf(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "";
}

/** RFC 5280 4.2.1.2, method 1, over the whole key info: any value that is the same for the same key will do. */
function keyId(publicKeyInfo: Uint8Array): Buffer {
  return createHash("sha1").update(publicKeyInfo).digest();
}

function positiveSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function generalName(host: string): Buffer {
  const family = isIP(host);
  if (family === 0) return context(2, false, Buffer.from(host, "latin1"));
  return context(7, false, family === 4 ? Buffer.from(host.split(".").map(Number)) : ipv6Bytes(host));
}

function ipv6Bytes(address: string): Buffer {
  // WHATWG's URL writes every form of an address the same way: hex groups, one `::` at most.
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
