import type { Duplex } from "node:stream";

import type { CallOptions, Runner } from "@anyrunner/core";
import { openListener, type ListenAddress, type Listener, type ServerIdentity } from "@anyrunner/protocol";

import type { EngineInfo } from "../engine-info.ts";
import type { Clock } from "../retry.ts";
import { checkListenAddress } from "./check-listen-address.ts";
import { checkOneEngine } from "./check-one-engine.ts";
import { serveBridgeClient, type BridgeClient } from "./serve-bridge-client.ts";
import { openUpstreamPool } from "./upstream-pool.ts";

/** Which runner is bridged, and where. `signal` cancels the start, and not the bridge. */
export interface ServeBridgeOptions extends CallOptions {
  readonly runner: Runner;
  /** Default: a socket in a new folder for this user alone, which goes with the bridge. */
  readonly listen?: ListenAddress | undefined;
  /** Has `XDG_RUNTIME_DIR`, where a socket of its own lies. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** For `tls`: the certificates; clients must have one of their authority. */
  readonly identity?: ServerIdentity | undefined;
  /** Consent to plain TCP, which every user and program of this machine may use as the engine. Default false. */
  readonly insecureTcp?: boolean | undefined;
  /** Dial twice at the start, and fail with ENGINE_CHANGED where two engines answer: for an address that may be balanced. Default false. */
  readonly dialTwice?: boolean | undefined;
  /** Pause between pings to the engine, in ms. Default 10,000. */
  readonly keepaliveMs?: number | undefined;
  /** How long a connection to the engine is kept that nobody uses, in ms. Default 60,000. */
  readonly idleMs?: number | undefined;
  /** How long an engine that is not ready is tried at the start, in ms. Default 60,000. */
  readonly connectBudgetMs?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

/** A local endpoint that leads to the engine of a runner. */
export interface Bridge {
  /** As clients name it: `unix://…`, `tcp://…` or `tls://…`. */
  readonly url: string;
  readonly address: ListenAddress;
  readonly engine: EngineInfo;
  counts(): BridgeCounts;
  /** Lets requests that run end for `graceMs` (default 1,000), then closes everything. Idempotent. */
  close(options?: { readonly graceMs?: number | undefined }): Promise<void>;
}

/** What is open now. */
export interface BridgeCounts {
  readonly clients: number;
  /** HTTP/2 requests that are running. */
  readonly requests: number;
  /** Connections to the engine that requests share. */
  readonly shared: number;
  /** Connections to the engine that belong to one client each. */
  readonly spliced: number;
}

/**
 * Makes any runner a local endpoint that official clients take as their runner host. HTTP/2 requests of all clients share a connection
 * to the engine; each stream that begins with HTTP/1.1 (the attachables of a session) has its own. All of them lead to the engine that
 * answered first.
 *
 * Fails as `openSession` does while there is no engine, with USAGE for an address that is not safe, ALREADY_EXISTS for one that is taken.
 */
export async function serveBridge(options: ServeBridgeOptions): Promise<Bridge> {
  const { runner, report, signal } = options;
  checkListenAddress(options);
  const pool = await openUpstreamPool({
    runner,
    signal,
    report,
    keepaliveMs: options.keepaliveMs ?? 10_000,
    idleMs: options.idleMs ?? 60_000,
    connectBudgetMs: options.connectBudgetMs ?? 60_000,
    clock: options.clock,
  });
  const closePool = async (error: unknown) => {
    await pool.close();
    throw error;
  };
  if (options.dialTwice) await checkOneEngine(runner, pool.engine, { signal, report }).catch(closePool);
  const clients = new Set<BridgeClient>();
  let spliced = 0;
  const accept = (stream: Duplex) => {
    const client = serveBridgeClient(stream, { runner, pool, report, onSplice: (delta) => (spliced += delta) });
    clients.add(client);
    void client.closed.then(() => clients.delete(client));
  };
  const listener = await listen(options, accept).catch(closePool);

  let closing: Promise<void> | undefined;
  const close = async (graceMs: number) => {
    const stopped = listener.stop();
    await Promise.all([...clients].map((client) => client.close({ graceMs })));
    await Promise.all([stopped, pool.close()]);
    await listener.remove();
  };
  return {
    url: listener.url,
    address: listener.address,
    engine: pool.engine,
    counts: () => ({ clients: clients.size, requests: pool.activeCount(), shared: pool.connectionCount(), spliced }),
    close: ({ graceMs = 1000 } = {}) => (closing ??= close(graceMs)),
  };
}

/** Listens where that was asked for, else on a socket of its own, whose folder `remove` removes. */
async function listen(
  { listen: address, identity, env }: ServeBridgeOptions,
  onStream: (stream: Duplex) => void,
): Promise<Listener & { remove(): Promise<void> }> {
  if (address !== undefined) return { ...(await openListener({ address, identity, onStream })), remove: async () => {} };
  const { makeSocketFolder } = await import("./socket-folder.ts");
  const { socketPath, remove } = await makeSocketFolder(env ?? process.env);
  try {
    return { ...(await openListener({ address: { kind: "unix", path: socketPath }, onStream })), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
