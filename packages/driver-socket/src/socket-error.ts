import type { X509Certificate } from "node:crypto";

import { networkFailure, RunnerError, type ErrorCode } from "@anyrunner/core/driver";

import { formatSocketAddress, type SocketAddress } from "./target.ts";
import { tlsError } from "./tls-error.ts";

/** Classifies what node says when an address can't be dialled or a connection breaks; `chain` is what the server showed, its own certificate first. */
export function socketError(error: unknown, address: SocketAddress, chain: readonly X509Certificate[] = []): RunnerError {
  if (RunnerError.is(error)) return error;
  const tls = address.kind === "tls" ? tlsError({ error, address, chain }) : undefined;
  if (tls !== undefined) return tls;
  const where = formatSocketAddress(address);
  const { kind, errno } = networkFailure(error);
  const fail = (code: ErrorCode, message: string, hint: string, retryable = false) =>
    new RunnerError(code, message, { hint, retryable, cause: error, driver: "socket", details: { address: where, ...(errno === undefined ? {} : { errno }) } });

  switch (kind) {
    case "refused":
      return fail("CONNECTION_REFUSED", `nothing listens at ${where}`, "start the engine there, or correct the address");
    case "missing":
      if (errno === "ENOTSOCK") return fail("NOT_FOUND", `what is at ${where} is no socket`, "name the socket that the engine listens on");
      return fail("NOT_FOUND", `there is no ${address.kind === "npipe" ? "pipe" : "socket"} at ${where}`, notFoundHint(address));
    case "forbidden":
      return fail(
        "PERMISSION_DENIED",
        `this user may not use ${where}`,
        "give the user read and write access to the socket and its folders, or run as its owner",
      );
    case "unnamed":
      return fail("NAME_NOT_RESOLVED", `the host name in ${where} has no address`, "check the name and the resolver");
    case "unreachable":
      return fail("CONNECTION_REFUSED", `${where} can't be reached: ${errno}`, "check the address and the network");
    case "late":
      return fail("TIMEOUT", `${where} did not answer in time`, "check the address, and whether a firewall drops packets", true);
    case "cut":
      return fail("CONNECTION_LOST", `the connection to ${where} was cut`, "check whether the engine still runs", true);
    default:
      return fail("INTERNAL", `${where} can't be dialled: ${error instanceof Error ? error.message : String(error)}`, "report this with the details");
  }
}

function notFoundHint(address: SocketAddress): string {
  if (address.kind === "unix" && !/^[/@]/.test(address.path)) return `a path from the root has three slashes: unix:///${address.path}`;
  return "start the engine, or correct the path";
}
