import { lstat, stat } from "node:fs/promises";
import { resolve } from "node:path";

import { RunnerError, throwIfAborted, type CallOptions, type ProbeResult, type Reporter, type RunnerDriver, type RunnerHandle } from "@anyrunner/core";

import { connectSocket } from "./connection.ts";
import { socketError } from "./socket-error.ts";
import { formatSocketAddress, parseSocketTarget, SOCKET_OPTIONS, type SocketAddress, type SocketTarget } from "./target.ts";

export interface SocketSettings {
  /** How long a dial may take, in ms. Default 10,000. */
  readonly connectBudgetMs?: number | undefined;
}

export interface SocketHandle extends RunnerHandle {
  readonly driver: "socket";
  readonly endpoint: SocketAddress;
}

const DEFAULT_CONNECT_BUDGET_MS = 10_000;

/** A driver for engines that listen on a Unix socket or a TCP port. It creates nothing and owns nothing. */
export function createSocketDriver(settings: SocketSettings = {}): RunnerDriver<SocketTarget, SocketHandle> {
  const warned = new Set<string>();
  return {
    specVersion: 1,
    name: "socket",
    schemes: ["unix", "tcp"],
    capabilities: ["half-close"],
    options: SOCKET_OPTIONS,
    parse: parseSocketTarget,
    probe: (target, options) => probe(target.address, options),
    async provision(target, options) {
      throwIfAborted(options.signal);
      const address = absolute(target.address);
      warnPlaintext(address, warned, options.report);
      return { driver: "socket", id: formatSocketAddress(address), endpoint: address, owned: false, labels: {} };
    },
    connect: async (handle, options) =>
      connectSocket(handle.endpoint, { signal: options.signal, budgetMs: settings.connectBudgetMs ?? DEFAULT_CONNECT_BUDGET_MS }),
  };
}

export const driver: RunnerDriver<SocketTarget, SocketHandle> = createSocketDriver();

/** Looks whether there is a socket; a TCP port is not asked, since only a connection can tell. */
async function probe(address: SocketAddress, options: CallOptions): Promise<ProbeResult> {
  throwIfAborted(options.signal);
  if (address.kind === "tcp") return { available: true };
  if (process.platform === "win32") {
    return { available: false, code: "UNSUPPORTED", reason: "unix sockets can't be used from Node on Windows", hint: "use tcp://HOST:PORT" };
  }
  if (address.path.startsWith("@")) return { available: true };
  const failure = await findSocket(address).catch((error: unknown) => socketError(error, address));
  throwIfAborted(options.signal);
  return failure === undefined ? { available: true } : { available: false, code: failure.code, reason: failure.message, hint: failure.hint };
}

async function findSocket(address: SocketAddress & { kind: "unix" }): Promise<RunnerError | undefined> {
  try {
    const found = await stat(address.path);
    return found.isSocket() ? undefined : socketError(Object.assign(new Error("no socket"), { code: "ENOTSOCK" }), address);
  } catch (error) {
    // A link whose target is gone is worth its own words: engines are often found by one.
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && (await lstat(address.path).catch(() => undefined))?.isSymbolicLink()) {
      return new RunnerError("NOT_FOUND", `${formatSocketAddress(address)} is a symbolic link to nothing`, {
        hint: "start the engine, or mend the link",
        driver: "socket",
      });
    }
    throw error;
  }
}

/** A handle may be used by a process with another working directory. */
function absolute(address: SocketAddress): SocketAddress {
  return address.kind === "unix" && !address.path.startsWith("@") ? { kind: "unix", path: resolve(address.path) } : address;
}

function warnPlaintext(address: SocketAddress, warned: Set<string>, report: Reporter | undefined): void {
  if (address.kind !== "tcp" || isLoopback(address.hostname) || report === undefined) return;
  const where = formatSocketAddress(address);
  if (warned.has(where)) return;
  warned.add(where);
  report({
    type: "warning",
    id: "plaintext",
    message: `${where} is not encrypted: whoever is on the way can read and change everything, session secrets included`,
    hint: "use it inside a trusted network only, or go through ssh or a tunnel",
  });
}

/** Whether what is sent there stays on this machine. Names other than `localhost` are not looked up. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
