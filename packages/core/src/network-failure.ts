/**
 * What went wrong where a socket was dialled or spoken to, and the code that fits:
 *
 * - `refused`: nothing listens at the port. CONNECTION_REFUSED.
 * - `unreachable`: no way leads to the host. CONNECTION_REFUSED.
 * - `missing`: there is no socket at the path. NOT_FOUND.
 * - `forbidden`: the system refuses access. PERMISSION_DENIED.
 * - `unnamed`: the name of the host has no address. NAME_NOT_RESOLVED.
 * - `late`: no answer in time. TIMEOUT, `retryable`.
 * - `cut`: a connection that was there has ended. CONNECTION_LOST, `retryable`.
 * - `tls`: the handshake failed. TLS_FAILED.
 * - `no-http`: what answers doesn't speak HTTP. WRONG_SERVER.
 */
export type NetworkFailure = "refused" | "unreachable" | "missing" | "forbidden" | "unnamed" | "late" | "cut" | "tls" | "no-http";

const KINDS: Readonly<Record<string, NetworkFailure>> = {
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  ENOENT: "missing",
  ENOTSOCK: "missing",
  EACCES: "forbidden",
  EPERM: "forbidden",
  ENOTFOUND: "unnamed",
  EAI_AGAIN: "unnamed",
  EAI_NONAME: "unnamed",
  EAI_FAIL: "unnamed",
  ETIMEDOUT: "late",
  ECONNRESET: "cut",
  ECONNABORTED: "cut",
  EPIPE: "cut",
  ERR_STREAM_PREMATURE_CLOSE: "cut",
};

/** Of Node, and of OpenSSL behind it. */
const TLS_CODE =
  /^(CERT_|CRL_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED|EPROTO$)/;

/**
 * For the one function of a driver that knows what errors of the network mean: which failure an error of Node's is, whose words are the driver's.
 * `errno` is Node's own code, such as `ECONNREFUSED`; where several addresses of one name were tried, the first one's.
 */
export function networkFailure(error: unknown): { readonly kind: NetworkFailure | undefined; readonly errno: string | undefined } {
  const errno = errorCode(error);
  return { kind: errno === undefined ? undefined : kindOf(errno), errno };
}

function kindOf(errno: string): NetworkFailure | undefined {
  if (Object.hasOwn(KINDS, errno)) return KINDS[errno];
  if (TLS_CODE.test(errno)) return "tls";
  return errno.startsWith("HPE_") ? "no-http" : undefined;
}

function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const code = "code" in error ? error.code : undefined;
  // Several addresses of one name: every attempt failed, the first reason stands for all.
  if (code === undefined && error instanceof AggregateError) return errorCode(error.errors[0]);
  return typeof code === "string" ? code : undefined;
}
