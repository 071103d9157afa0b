import { lstat, stat } from "node:fs/promises";
import { resolve } from "node:path";

import {
  isLoopback,
  RunnerError,
  throwIfAborted,
  unavailable,
  type CallOptions,
  type ProbeResult,
  type Reporter,
  type RunnerDriver,
  type RunnerHandle,
} from "@anyrunner/core/driver";

import { createExpiryWatch } from "./certificate-expiry.ts";
import { connectSocket, pipesAreOfWindows } from "./connection.ts";
import { createAddressPin, type AddressPin, type ResolveName } from "./pin-address.ts";
import { socketError } from "./socket-error.ts";
import { formatSocketAddress, parseSocketTarget, SOCKET_OPTIONS, type SocketAddress, type SocketTarget, type TlsAddress } from "./target.ts";
import { readTlsCredentials } from "./tls-credentials.ts";

/** What a user of the driver sets once. */
export interface SocketSettings {
  /** How long a dial may take, in ms. Default 10,000. */
  readonly connectBudgetMs?: number | undefined;
  /** How long a TLS handshake may take after the dial, in ms. Default 15,000. */
  readonly handshakeBudgetMs?: number | undefined;
  /** All addresses of a host name. Default: the system's resolver. */
  readonly resolveName?: ResolveName | undefined;
}

/** An address at which an engine listens. */
export interface SocketHandle extends RunnerHandle {
  readonly driver: "socket";
  readonly endpoint: SocketAddress;
}

/** Both as the official client has them (engine protocol 1.3). */
const DEFAULT_CONNECT_BUDGET_MS = 10_000;
const DEFAULT_HANDSHAKE_BUDGET_MS = 15_000;

/** A driver for engines that listen on a Unix socket, a TCP port (with or without TLS) or a named pipe. It creates nothing and owns nothing. */
export function createSocketDriver(settings: SocketSettings = {}): RunnerDriver<SocketTarget, SocketHandle> {
  const warned = new Set<string>();
  const expiry = createExpiryWatch();
  const pins = new WeakMap<SocketHandle, AddressPin>();
  const { connectBudgetMs = DEFAULT_CONNECT_BUDGET_MS, handshakeBudgetMs = DEFAULT_HANDSHAKE_BUDGET_MS } = settings;
  return {
    specVersion: 1,
    name: "socket",
    schemes: ["unix", "tcp", "tls", "npipe"],
    capabilities: ["half-close"],
    options: SOCKET_OPTIONS,
    parse: parseSocketTarget,
    probe: (target, options) => probe(target.address, options),
    async provision(target, options) {
      throwIfAborted(options.signal);
      const address = absolute(target.address);
      warnPlaintext(address, warned, options.report);
      return { driver: "socket", id: handleId(address), endpoint: address, owned: false, labels: {} };
    },
    connect(handle, { signal, report }) {
      const pin = pins.get(handle) ?? createAddressPin(settings.resolveName);
      pins.set(handle, pin);
      return connectSocket(handle.endpoint, { signal, report, budgetMs: connectBudgetMs, handshakeBudgetMs, expiry, pin });
    },
  };
}

/** The driver with its defaults: what a registry loads. */
export const driver: RunnerDriver<SocketTarget, SocketHandle> = createSocketDriver();

/** Looks whether there is a socket, and whether certificates can be read; a TCP port is not asked, since only a connection can tell. */
async function probe(address: SocketAddress, options: CallOptions): Promise<ProbeResult> {
  throwIfAborted(options.signal);
  if (address.kind === "tcp") return { available: true };
  if (address.kind === "tls") return probeCredentials(address, options);
  if (address.kind === "npipe") return process.platform === "win32" ? { available: true } : unavailable(pipesAreOfWindows(address));
  if (process.platform === "win32") {
    return { available: false, code: "UNSUPPORTED", reason: "unix sockets can't be used from Node on Windows", hint: "use tcp://HOST:PORT" };
  }
  if (address.path.startsWith("@")) return { available: true };
  const failure = await findSocket(address).catch((error: unknown) => socketError(error, address));
  throwIfAborted(options.signal);
  return failure === undefined ? { available: true } : unavailable(failure);
}

async function probeCredentials(address: TlsAddress, options: CallOptions): Promise<ProbeResult> {
  try {
    await readTlsCredentials(address);
  } catch (error) {
    throwIfAborted(options.signal);
    return unavailable(socketError(error, address));
  }
  throwIfAborted(options.signal);
  return { available: true };
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
  if (address.kind === "unix" && !address.path.startsWith("@")) return { kind: "unix", path: resolve(address.path) };
  if (address.kind !== "tls") return address;
  const { caPath, certPath, keyPath } = address;
  return {
    ...address,
    ...(caPath === undefined ? {} : { caPath: resolve(caPath) }),
    ...(certPath === undefined ? {} : { certPath: resolve(certPath) }),
    ...(keyPath === undefined ? {} : { keyPath: resolve(keyPath) }),
  };
}

/** Behind one port, servers of different names are different engines; with which certificates one asks is no matter. */
function handleId(address: SocketAddress): string {
  const id = formatSocketAddress(address);
  return address.kind === "tls" && address.serverName !== undefined ? `${id}?server_name=${encodeURIComponent(address.serverName)}` : id;
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
    hint: "use it inside a trusted network only, or use tls:// or ssh://",
  });
}
