import { connect, type Socket } from "node:net";

import { abortedError, redact, RunnerError } from "@anyrunner/core/driver";
import type { DriverResult } from "@anyrunner/core/driver-protocol";

import type { CallProgram } from "./open-call.ts";

/** Where `connect` of a program says that its stream is, unless it is the program itself. */
export type LocalAddress = Exclude<DriverResult<"connect">, { readonly via: "stdio" }>;

const DIAL_BUDGET_MS = 10_000;

/** Dials what the program named, on this machine only. Fails with CONNECTION_REFUSED, NOT_FOUND, PERMISSION_DENIED, TIMEOUT or ABORTED. */
export function dialAddress(address: LocalAddress, { voice, options: { signal } }: CallProgram<"connect">): Promise<Socket> {
  const where = address.via === "unix" ? `the socket ${redact(address.path, voice.hidden)}` : `port ${address.port} of this machine`;
  const failure = (code: "CONNECTION_REFUSED" | "NOT_FOUND" | "PERMISSION_DENIED" | "TIMEOUT", why: string, cause?: Error) =>
    new RunnerError(code, `the driver ${voice.command} names ${where}, ${why}`, {
      hint: "check that the runner runs",
      driver: voice.driver,
      // The system repeats the path.
      cause: voice.hidden.length === 0 ? cause : undefined,
    });
  return new Promise((resolve, reject) => {
    const socket = address.via === "unix" ? connect({ path: address.path }) : connect({ host: "127.0.0.1", port: address.port, noDelay: true });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
    };
    const fail = (error: RunnerError) => {
      settle();
      // A socket that is given up may still have an error to tell.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(abortedError(signal as AbortSignal));
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") fail(failure("NOT_FOUND", "which does not exist", error));
      else if (error.code === "EACCES" || error.code === "EPERM") fail(failure("PERMISSION_DENIED", "which this user may not use", error));
      else fail(failure("CONNECTION_REFUSED", `where nothing answers (${error.code ?? "no reason given"})`, error));
    };
    const timer = setTimeout(() => fail(failure("TIMEOUT", `which didn't answer within ${DIAL_BUDGET_MS / 1000} s`)), DIAL_BUDGET_MS);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) return onAbort();
    socket.once("error", onError);
    socket.once("connect", () => {
      settle();
      if (address.via === "loopback") socket.write(`${address.token}\n`);
      resolve(socket);
    });
  });
}
