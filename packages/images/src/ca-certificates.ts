import { X509Certificate } from "node:crypto";

import { RunnerError } from "@anyrunner/core";

import type { NamedText } from "./recipe.ts";

/** One authority, as a file of its own: the engine's `update-ca-certificates` wants one certificate a file. */
export interface CaCertificate {
  /** `example-root-1a2b3c4d.crt` */
  readonly fileName: string;
  readonly pem: string;
  readonly subject: string;
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
const LIMIT = 500;

/**
 * The certificates of these texts, each once. Fails with INVALID_OPTION for what is no certificate, has expired, is that of a server, or comes
 * with a private key. `now`: ms since 1970.
 */
export function parseCaCertificates(texts: readonly NamedText[], now: number): readonly CaCertificate[] {
  const found = new Map<string, CaCertificate>();
  for (const { name, text } of texts) {
    const blocks = [...text.matchAll(PEM_BLOCK)];
    if (blocks.some(([, kind = ""]) => kind.includes("PRIVATE KEY")))
      throw refuse(`${name} holds a private key, which has no place in an image`, "give the certificate of the authority alone");
    const certificates = blocks.filter(([, kind]) => kind === "CERTIFICATE" || kind === "TRUSTED CERTIFICATE");
    if (certificates.length === 0) throw refuse(`${name} holds no certificate in PEM`, "convert it: openssl x509 -inform der -outform pem");
    for (const [block] of certificates) {
      const certificate = parseOne(name, block, now);
      found.set(certificate.fingerprint, certificate);
    }
  }
  if (found.size > LIMIT) throw refuse(`${found.size} certificates are too many`, `give at most ${LIMIT}`);
  return [...found.values()].map(({ fileName, pem, subject }) => ({ fileName, pem, subject }));
}

function parseOne(name: string, block: string, now: number): CaCertificate & { readonly fingerprint: string } {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(block);
  } catch (error) {
    throw refuse(`a certificate in ${name} can't be read`, "check the file with openssl x509 -text", error);
  }
  const subject = certificate.subject.replaceAll("\n", ", ");
  const shown = `the certificate "${subject}" in ${name}`;
  if (Date.parse(certificate.validTo) < now) throw refuse(`${shown} has expired (${certificate.validTo})`, "give a valid one");
  // A self-signed server's certificate is its own authority.
  const isSelfSigned = certificate.checkIssued(certificate);
  if (!certificate.ca && !isSelfSigned) throw refuse(`${shown} is not that of an authority`, "give the certificate of the authority that signed it");
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  return { fileName: `${slugOf(certificate)}-${fingerprint.slice(0, 8)}.crt`, pem: certificate.toString(), subject, fingerprint };
}

function slugOf({ subject }: X509Certificate): string {
  const name = /^(?:CN|O)=(.+)$/m.exec(subject)?.[1] ?? "";
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 40);
  return slug === "" ? "authority" : slug;
}

function refuse(message: string, hint: string, cause?: unknown): RunnerError {
  return new RunnerError("INVALID_OPTION", message, { hint, cause });
}
