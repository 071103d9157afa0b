import { formatProvenance, networkFailure, RunnerError, type ErrorCode } from "@anyrunner/core";

import { parseDockerHost } from "./docker-host.ts";
import type { DockerEndpoint } from "./resolve-endpoint.ts";

/** Classifies what node says when the daemon can't be reached or the connection breaks. The error itself becomes the cause. */
export function dockerTransportError(error: unknown, endpoint: DockerEndpoint): RunnerError {
  if (RunnerError.is(error)) return error;
  const { kind, errno } = networkFailure(error);
  const where = `${endpoint.host} (${formatProvenance(endpoint.from)})`;
  const fail = (runnerCode: ErrorCode, message: string, hint?: string, retryable = false) =>
    new RunnerError(runnerCode, message, { hint, retryable, cause: error, details: { host: endpoint.host, ...(errno === undefined ? {} : { errno }) } });

  switch (kind) {
    case "missing":
    case "refused":
      return fail("CONNECTION_REFUSED", `no Docker daemon is running at ${where}`, startHint(endpoint));
    case "unreachable":
      return fail("CONNECTION_REFUSED", `the Docker host ${where} can't be reached: ${errno}`, "check the address and the network");
    case "forbidden":
      return fail(
        "PERMISSION_DENIED",
        `this user may not use the Docker daemon at ${where}`,
        "add the user to the group that owns the socket (`sudo usermod -aG docker $USER`, then log in again), or run as root",
      );
    case "unnamed":
      return fail("NAME_NOT_RESOLVED", `the name of the Docker host ${where} has no address`, "check the name and the resolver");
    case "late":
      return fail("TIMEOUT", `the Docker host ${where} did not answer in time`, "check the address, and whether a firewall drops packets", true);
    case "cut":
      return fail("CONNECTION_LOST", `the Docker daemon at ${where} closed the connection`, "check whether the daemon still runs", true);
    case "tls":
      return fail("TLS_FAILED", `the TLS handshake with the Docker daemon at ${where} failed: ${messageOf(error)}`, tlsHint(endpoint));
    case "no-http":
      return fail(
        "WRONG_SERVER",
        `what answers at ${where} is no Docker daemon: it speaks no plain HTTP`,
        "check the address; a daemon with TLS needs DOCKER_TLS_VERIFY=1",
      );
    case undefined:
      return fail("INTERNAL", `the request to the Docker daemon at ${where} failed: ${errno ?? messageOf(error)}`);
  }
}

/** Classifies an answer of the daemon with an error status; `message` is the daemon's. */
export function dockerStatusError(status: number, message: string, endpoint: DockerEndpoint): RunnerError {
  const { code, hint, retryable = false } = classifyStatus(status, message);
  const text =
    message === ""
      ? `the Docker daemon at ${endpoint.host} answered with status ${status}`
      : message.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  return new RunnerError(code, text, { hint, retryable, details: { host: endpoint.host, status } });
}

function classifyStatus(status: number, message: string): { readonly code: ErrorCode; readonly hint?: string; readonly retryable?: boolean } {
  if (/HTTP request to an HTTPS server/i.test(message))
    return { code: "TLS_FAILED", hint: "the daemon wants TLS: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a context" };
  switch (status) {
    case 400:
      return /client version [\d.]+ is too (new|old)/i.test(message)
        ? { code: "VERSION_MISMATCH", hint: "unset DOCKER_API_VERSION" }
        : { code: "INVALID_OPTION" };
    case 401:
      return { code: "AUTH_FAILED" };
    case 403:
      return { code: "PERMISSION_DENIED", hint: "an authorization plugin or a proxy in front of the daemon refuses this request" };
    case 404:
      return /^(404 )?page not found/i.test(message.trim())
        ? { code: "UNSUPPORTED", hint: "this daemon doesn't know the request: is it Docker?" }
        : { code: "NOT_FOUND" };
    case 405:
    case 501:
      return { code: "UNSUPPORTED" };
    case 409:
      if (/is restarting/i.test(message)) return { code: "NOT_RUNNING", retryable: true };
      if (/is not running|is paused|is stopped|is dead|not in the (right|running) state|can only create exec sessions on running/i.test(message))
        return { code: "NOT_RUNNING" };
      return { code: "ALREADY_EXISTS", retryable: /already in progress/i.test(message) };
    case 500:
      // Podman's status for a name that is taken.
      return { code: /\bname\b.* is already in use\b/i.test(message) ? "ALREADY_EXISTS" : "COMMAND_FAILED" };
    case 502:
    case 503:
    case 504:
      return { code: "CONNECTION_LOST", retryable: true };
    default:
      return { code: "COMMAND_FAILED" };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function startHint(endpoint: DockerEndpoint): string {
  const { kind } = parseDockerHost(endpoint.host);
  if (kind === "tcp") return "start the daemon there, or correct the address";
  return "start it (`systemctl start docker`, or Docker Desktop), or name another daemon with DOCKER_HOST or DOCKER_CONTEXT";
}

function tlsHint(endpoint: DockerEndpoint): string {
  if (endpoint.tls === undefined) return "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a context";
  const files = [endpoint.tls.caPath, endpoint.tls.certPath, endpoint.tls.keyPath].filter((path) => path !== undefined);
  return files.length === 0 ? "give the daemon's authority as ca.pem in DOCKER_CERT_PATH" : `check ${files.join(", ")}`;
}
