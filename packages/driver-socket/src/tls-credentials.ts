import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

import { RunnerError } from "@anyrunner/core/driver";

import { certificateExpired } from "./tls-error.ts";
import { formatSocketAddress, type TlsAddress } from "./target.ts";

/** What the files of an address hold, checked as far as that goes without the server. */
export interface TlsCredentials {
  /** PEM; without it the system's authorities are trusted. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly authorities: readonly CertificateFile[];
  readonly client: CertificateFile | undefined;
}

export interface CertificateFile {
  /** Begins a sentence about it: `the client certificate`. */
  readonly what: string;
  readonly path: string;
  readonly certificate: X509Certificate;
}

/**
 * Reads the certificates and the key of `address`. Fails with NOT_FOUND, PERMISSION_DENIED, or TLS_FAILED when a file is no
 * PEM, has expired, or key and certificate don't belong together; the file is named, its content never.
 */
export async function readTlsCredentials(address: TlsAddress, now: Date = new Date()): Promise<TlsCredentials> {
  const { caPath, certPath, keyPath } = address;
  const [ca, cert, key] = await Promise.all([
    readCredential(address, "ca_path", caPath),
    readCredential(address, "cert_path", certPath),
    readCredential(address, "key_path", keyPath),
  ]);
  const authorities = ca === undefined ? [] : parseCertificates(address, "ca_path", { what: "the authority's certificate", path: caPath as string, text: ca });
  const client =
    cert === undefined ? undefined : parseCertificates(address, "cert_path", { what: "the client certificate", path: certPath as string, text: cert })[0];
  if (client !== undefined) {
    checkValidity(address, client, now);
    checkKey(address, { client, key: key as string });
  }
  // One of several authorities may be out of date; all of them can't be.
  const [firstAuthority] = authorities;
  if (firstAuthority !== undefined && authorities.every(({ certificate }) => certificate.validToDate < now)) checkValidity(address, firstAuthority, now);
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined || key === undefined ? {} : { cert, key }), authorities, client };
}

async function readCredential(address: TlsAddress, parameter: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    const where = `the file ${path} (${parameter} of ${formatSocketAddress(address)})`;
    if (errno === "EACCES" || errno === "EPERM") {
      throw fail("PERMISSION_DENIED", `this user may not read ${where}`, { hint: "change the file's owner or mode", cause: error, file: path });
    }
    if (errno === "ENOENT" || errno === "ENOTDIR" || errno === "EISDIR") {
      throw fail("NOT_FOUND", `${where} does not exist`, { hint: "correct the path; `anyrunner certs create` makes such files", cause: error, file: path });
    }
    throw fail("TLS_FAILED", `${where} can't be read: ${errno ?? String(error)}`, { hint: "check the file", cause: error, file: path });
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function parseCertificates(
  address: TlsAddress,
  parameter: string,
  { what, path, text }: { readonly what: string; readonly path: string; readonly text: string },
): readonly CertificateFile[] {
  try {
    const found = (text.match(PEM_CERTIFICATE) ?? []).map((pem): CertificateFile => ({ what, path, certificate: new X509Certificate(pem) }));
    if (found.length > 0) return found;
  } catch {
    // Said below: what OpenSSL thinks of the bytes helps nobody.
  }
  throw fail("TLS_FAILED", `the file ${path} (${parameter} of ${formatSocketAddress(address)}) holds no certificate in PEM`, {
    hint: "name a file with a block that begins with -----BEGIN CERTIFICATE-----",
    file: path,
  });
}

function checkValidity(address: TlsAddress, { what, path, certificate }: CertificateFile, now: Date): void {
  if (certificate.validToDate < now || certificate.validFromDate > now) {
    throw certificateExpired({ address, what: `${what} in ${path}`, certificate, now, hint: `renew ${path}; \`anyrunner certs rotate\` does so for its own` });
  }
}

function checkKey(address: TlsAddress, { client, key }: { readonly client: CertificateFile; readonly key: string }): void {
  const keyPath = address.keyPath as string;
  const where = `the file ${keyPath} (key_path of ${formatSocketAddress(address)})`;
  let parsed;
  try {
    parsed = createPrivateKey(key);
  } catch (error) {
    const encrypted = key.includes("ENCRYPTED");
    throw fail("TLS_FAILED", `${where} ${encrypted ? "is protected by a passphrase" : "holds no private key in PEM"}`, {
      hint: encrypted ? "store the key without a passphrase, readable by its user only" : "name the file with the key of the client certificate",
      cause: (error as NodeJS.ErrnoException).code,
      file: keyPath,
    });
  }
  if (!client.certificate.checkPrivateKey(parsed)) {
    throw fail("TLS_FAILED", `${where} is not the key of the certificate in ${client.path}`, { hint: "name a certificate and its own key", file: keyPath });
  }
}

function fail(
  code: "NOT_FOUND" | "PERMISSION_DENIED" | "TLS_FAILED",
  message: string,
  { hint, cause, file }: { readonly hint: string; readonly cause?: unknown; readonly file: string },
): RunnerError {
  return new RunnerError(code, message, { hint, cause, driver: "socket", details: { file } });
}
