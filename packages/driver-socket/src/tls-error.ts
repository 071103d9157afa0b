import type { X509Certificate } from "node:crypto";

import { RunnerError } from "@anyrunner/core/driver";

import { formatSocketAddress, type TlsAddress } from "./target.ts";

export interface TlsFailure {
  readonly error: unknown;
  readonly address: TlsAddress;
  /** The certificates that the server showed, its own first; empty when the handshake didn't come so far. */
  readonly chain?: readonly X509Certificate[] | undefined;
  readonly now?: Date | undefined;
}

/** TLS_FAILED when TLS is what failed, with what to do; `undefined` when it wasn't TLS. */
export function tlsError({ error, address, chain = [], now = new Date() }: TlsFailure): RunnerError | undefined {
  const [peer] = chain;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== "string") return undefined;
  const where = formatSocketAddress(address);
  const fail = (message: string, hint: string) =>
    new RunnerError("TLS_FAILED", message, {
      hint,
      cause: error,
      driver: "socket",
      details: { address: where, tls: code, ...describePeer(peer) },
    });

  if (UNKNOWN_AUTHORITY.has(code)) return fail(`${where} shows a certificate of an unknown authority${issuedBy(peer)}`, authorityHint(address));
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    const bad = outOfDate(chain, now);
    const what = bad === undefined || bad === peer ? `the certificate of ${where}` : `an authority's certificate behind ${where} (${oneLine(bad.subject)})`;
    const hint = "renew the server's certificate; check this machine's clock";
    return bad === undefined
      ? fail(`${what} ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"}`, hint)
      : certificateExpired({ address, what, certificate: bad, now, hint, cause: error });
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const expected = address.serverName ?? address.hostname;
    return fail(
      `the certificate of ${where} is not for "${expected}" but for ${namesOf(peer)}`,
      "use a name of the certificate in the URL, give one with ?server_name=NAME, or issue a certificate for this name",
    );
  }
  if (NO_TLS.has(code)) return fail(`what answers at ${where} doesn't speak TLS`, "use tcp:// for an engine without TLS, or correct the port");
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS/.test(code)) {
    return fail(`${where} offers no version of TLS from 1.2 on`, "update what serves TLS there");
  }
  if (/UNRECOGNIZED_NAME/.test(code))
    return fail(`${where} knows no server of the name "${address.serverName ?? address.hostname}"`, "correct the host, or ?server_name=");
  if (CLIENT_REFUSED.test(code)) return clientRefused(address, code, fail);
  if (/^ERR_(SSL|TLS|OSSL)_/.test(code) || /CERT|CRL/.test(code)) {
    return fail(`the TLS handshake with ${where} failed: ${code}`, "check the certificates on both sides");
  }
  return undefined;
}

export interface ExpiredCertificate {
  readonly address: TlsAddress;
  /** Begins the sentence: `the client certificate in /x/client.pem`. */
  readonly what: string;
  readonly certificate: X509Certificate;
  readonly now: Date;
  readonly hint: string;
  readonly cause?: unknown;
}

/** TLS_FAILED for a certificate whose time has passed or not come. */
export function certificateExpired({ address, what, certificate, now, hint, cause }: ExpiredCertificate): RunnerError {
  const expired = certificate.validToDate < now;
  const message = expired ? `${what} expired on ${day(certificate.validToDate)}` : `${what} is valid only from ${certificate.validFromDate.toISOString()} on`;
  return new RunnerError("TLS_FAILED", message, {
    hint,
    cause,
    driver: "socket",
    details: { address: formatSocketAddress(address), validFrom: certificate.validFromDate.toISOString(), validTo: certificate.validToDate.toISOString() },
  });
}

/** The date alone: the year is what is read first. */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

const UNKNOWN_AUTHORITY = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_UNTRUSTED",
  "CERT_SIGNATURE_FAILURE",
  "INVALID_CA",
]);

/** What OpenSSL makes of an answer that is no TLS record. */
const NO_TLS = new Set(["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG", "ERR_SSL_HTTP_REQUEST", "EPROTO"]);

/** Alerts by which a server says no to the client's certificate, or to having none. */
const CLIENT_REFUSED =
  /ALERT_(CERTIFICATE_REQUIRED|NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)$/;

function clientRefused(address: TlsAddress, code: string, fail: (message: string, hint: string) => RunnerError): RunnerError {
  const where = formatSocketAddress(address);
  if (address.certPath === undefined) {
    if (code.endsWith("HANDSHAKE_FAILURE"))
      return fail(`${where} refused the TLS handshake`, "it may want a client certificate: ?cert_path=FILE&key_path=FILE");
    return fail(`${where} wants a client certificate`, "give one that it trusts: ?cert_path=FILE&key_path=FILE");
  }
  const alert = (code.split("_ALERT_")[1] ?? code).toLowerCase().replaceAll("_", " ");
  return fail(`${where} refused the client certificate in ${address.certPath}: ${alert}`, "use one that is issued by an authority which the server trusts");
}

function authorityHint({ caPath }: TlsAddress): string {
  return caPath === undefined
    ? "name the authority's certificate with ?ca_path=FILE, or install it in the system"
    : `check that ${caPath} holds the authority that issued the server's certificate`;
}

/** The first certificate of the chain that is out of date. */
function outOfDate(chain: readonly X509Certificate[], now: Date): X509Certificate | undefined {
  return chain.find((certificate) => certificate.validToDate < now || certificate.validFromDate > now);
}

function issuedBy(peer: X509Certificate | undefined): string {
  return peer === undefined ? "" : ` (${oneLine(peer.issuer)})`;
}

function namesOf(peer: X509Certificate | undefined): string {
  const names = (peer?.subjectAltName ?? "").split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""));
  return names.join("") === "" ? "no name at all" : names.slice(0, 10).join(", ");
}

function describePeer(peer: X509Certificate | undefined): {
  readonly certificate?: { readonly subject: string; readonly issuer: string; readonly validTo: string };
} {
  if (peer === undefined) return {};
  return { certificate: { subject: oneLine(peer.subject), issuer: oneLine(peer.issuer), validTo: peer.validToDate.toISOString() } };
}

function oneLine(name: string | undefined): string {
  return (name ?? "").replaceAll("\n", ", ");
}
