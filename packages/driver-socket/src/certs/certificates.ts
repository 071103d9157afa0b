import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { resolve, join } from "node:path";

import { RunnerError } from "@anyrunner/core/driver";

import { CERTIFICATE_FILES, createFolder, readCertificateFile, replaceFiles, type CertificateFileName } from "./certificate-folder.ts";
import { formatCertificate, formatIdentity, issueCertificate, parseIdentity, type Identity } from "./issue-certificate.ts";

export interface CreateCertificatesOptions {
  /** Must not exist, or be empty. */
  readonly folder: string;
  /** Names and addresses under which the server is reached; at least one. */
  readonly hosts: readonly string[];
  /** How long server and client certificate are valid. Default 365; the authority is for ten years. */
  readonly days?: number | undefined;
  readonly now?: Date | undefined;
}

export interface RotateCertificatesOptions {
  readonly folder: string;
  /** Default: those of the certificate that is replaced. */
  readonly hosts?: readonly string[] | undefined;
  readonly days?: number | undefined;
  /** Make a new authority, too; the old one stays trusted beside it until the next such rotation. Default false. */
  readonly authority?: boolean | undefined;
  readonly now?: Date | undefined;
}

export interface InspectCertificatesOptions {
  readonly folder: string;
  readonly now?: Date | undefined;
}

/** The certificates of a folder; dates in ISO 8601. */
export interface CertificateSet {
  /** Absolute. */
  readonly folder: string;
  /** Newest first; an older one is trusted still. */
  readonly authorities: readonly CertificateFacts[];
  readonly server: CertificateFacts;
  readonly client: CertificateFacts;
}

export interface CertificateFacts {
  readonly file: string;
  readonly subject: string;
  readonly hosts: readonly string[];
  readonly validFrom: string;
  readonly validTo: string;
  /** Whole days from now to `validTo`; negative when it has expired. */
  readonly daysLeft: number;
  readonly fingerprint256: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Certificates count whole seconds. */
const SECOND_MS = 1000;
const AUTHORITY_DAYS = 3650;
const DEFAULT_DAYS = 365;
/** Clocks of two machines differ. */
const BACKDATE_MS = 60 * 60 * 1000;

/**
 * Makes an authority, and by it certificates for one server and its clients: files of mode 0600 in a folder of mode 0700, all
 * or nothing. Fails with USAGE (no host, or one that isn't), ALREADY_EXISTS, PERMISSION_DENIED.
 */
export async function createCertificates({ folder, hosts, days = DEFAULT_DAYS, now = new Date() }: CreateCertificatesOptions): Promise<CertificateSet> {
  checkHosts(hosts);
  checkDays(days);
  const authority = await makeAuthority(now);
  const leaves = await makeLeaves({ authority, hosts, days, now });
  await createFolder(
    folder,
    new Map<CertificateFileName, string>([
      [CERTIFICATE_FILES.authority, formatCertificate(authority.certificate)],
      [CERTIFICATE_FILES.authorityKey, formatIdentity(authority)],
      ...leaves,
    ]),
  );
  return inspectCertificates({ folder, now });
}

/** Reads what a folder holds. Fails with NOT_FOUND, PERMISSION_DENIED, TLS_FAILED (a file holds no certificate; it is named). */
export async function inspectCertificates({ folder, now = new Date() }: InspectCertificatesOptions): Promise<CertificateSet> {
  const read = async (name: CertificateFileName) => {
    const file = join(resolve(folder), name);
    const text = await readCertificateFile(folder, name);
    return parsed(file, () => certificatesOf(text).map((certificate) => describe(file, certificate, now)));
  };
  const [authorities, server, client] = await Promise.all([read(CERTIFICATE_FILES.authority), read(CERTIFICATE_FILES.server), read(CERTIFICATE_FILES.client)]);
  return { folder: resolve(folder), authorities, server: server[0] as CertificateFacts, client: client[0] as CertificateFacts };
}

/**
 * Replaces the server's and the client's certificate and key, each file in one step. With `authority`, both sides must get the
 * new `ca.pem` before the old authority is dropped. Fails as `createCertificates` and `inspectCertificates` do.
 */
export async function rotateCertificates({
  folder,
  hosts,
  days = DEFAULT_DAYS,
  authority: renewAuthority = false,
  now = new Date(),
}: RotateCertificatesOptions): Promise<CertificateSet> {
  checkDays(days);
  const current = await inspectCertificates({ folder, now });
  const names = hosts ?? current.server.hosts;
  checkHosts(names);
  const old = await readAuthority(folder);
  const files = new Map<CertificateFileName, string>();
  let authority = old;
  if (renewAuthority || old.certificate.validToDate <= now) {
    authority = await makeAuthority(now);
    const trusted = [authority, old].filter(({ certificate }) => certificate.validToDate > now);
    // First of all, so that whoever reads the folder in between trusts what follows.
    files.set(CERTIFICATE_FILES.authority, trusted.map(({ certificate }) => formatCertificate(certificate)).join(""));
    files.set(CERTIFICATE_FILES.authorityKey, formatIdentity(authority));
  }
  for (const [name, text] of await makeLeaves({ authority, hosts: names, days, now })) files.set(name, text);
  await replaceFiles(folder, files);
  return inspectCertificates({ folder, now });
}

function makeAuthority(now: Date): Promise<Identity> {
  const name = `anyrunner authority ${now.toISOString().slice(0, 19)}Z`;
  return issueCertificate({ commonName: name, use: "authority", ...validity(now, AUTHORITY_DAYS) });
}

interface LeavesInput {
  readonly authority: Identity;
  readonly hosts: readonly string[];
  readonly days: number;
  readonly now: Date;
}

async function makeLeaves({ authority, hosts, days, now }: LeavesInput): Promise<readonly (readonly [CertificateFileName, string])[]> {
  const { validFrom, validTo } = validity(now, days);
  const lastDay = authority.certificate.validToDate;
  const common = { issuer: authority, validFrom, validTo: validTo < lastDay ? validTo : lastDay };
  const server = await issueCertificate({ ...common, commonName: "anyrunner server", use: "server", hosts });
  const client = await issueCertificate({ ...common, commonName: "anyrunner client", use: "client" });
  return [
    [CERTIFICATE_FILES.server, formatIdentity(server)],
    [CERTIFICATE_FILES.client, formatIdentity(client)],
  ];
}

async function readAuthority(folder: string): Promise<Identity> {
  const text = await readCertificateFile(folder, CERTIFICATE_FILES.authorityKey);
  return parsed(join(resolve(folder), CERTIFICATE_FILES.authorityKey), () => parseIdentity(text));
}

function parsed<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new RunnerError("TLS_FAILED", `${file} is not what \`anyrunner certs\` wrote`, {
      hint: "restore it, or create certificates in a new folder",
      details: { file },
    });
  }
}

function certificatesOf(text: string): readonly X509Certificate[] {
  const found = (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem));
  if (found.length === 0) throw new Error("no certificate");
  return found;
}

function describe(file: string, certificate: X509Certificate, now: Date): CertificateFacts {
  const names = certificate.subjectAltName?.split(", ").map((name) => name.replace(/^(DNS|IP Address):/, "")) ?? [];
  return {
    file,
    subject: certificate.subject.replace(/^CN=/, ""),
    hosts: names.map((name) => (isIP(name) === 6 ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name)),
    validFrom: certificate.validFromDate.toISOString(),
    validTo: certificate.validToDate.toISOString(),
    daysLeft: Math.floor((certificate.validToDate.getTime() - now.getTime() + SECOND_MS) / DAY_MS),
    fingerprint256: certificate.fingerprint256,
  };
}

function validity(now: Date, days: number): { readonly validFrom: Date; readonly validTo: Date } {
  return { validFrom: new Date(now.getTime() - BACKDATE_MS), validTo: new Date(now.getTime() + days * DAY_MS) };
}

function checkHosts(hosts: readonly string[]): void {
  if (hosts.length === 0) throw usage("no host is named", "name each name and address under which the server is reached: --host NAME");
  for (const host of hosts) {
    if (isIP(host) === 0 && !/^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(host)) {
      throw usage(`"${host}" is neither a host name nor an address`, "write a name or an address alone, without scheme and port");
    }
  }
}

function checkDays(days: number): void {
  if (!Number.isInteger(days) || days < 1 || days > AUTHORITY_DAYS)
    throw usage(`${days} is no number of days`, `give a whole number from 1 to ${AUTHORITY_DAYS}`);
}

function usage(message: string, hint: string): RunnerError {
  return new RunnerError("USAGE", message, { hint });
}
