import { orAborted, RunnerError, throwIfAborted, type CallOptions, type Runner } from "@anyrunner/core";
import type { UpstreamClaim } from "@anyrunner/protocol";

import { openControlConnection, type ControlConnection } from "../control-connection.ts";
import { closeControl } from "../dial-session.ts";
import { engineChanged, type EngineInfo } from "../engine-info.ts";
import { retryTransient, systemClock, type Clock } from "../retry.ts";
import { createUpstream, type Upstream } from "./upstream.ts";

export interface UpstreamPoolOptions extends CallOptions {
  readonly runner: Runner;
  /** Pause between pings, in ms. */
  readonly keepaliveMs: number;
  /** How long a connection without streams is kept, in ms. */
  readonly idleMs: number;
  /** How long the first dial tries an engine that is not ready, in ms. */
  readonly connectBudgetMs: number;
  readonly clock?: Clock | undefined;
}

/** The HTTP/2 connections to one engine: one as long as it has room, more when it is full, none when nobody needs any. */
export interface UpstreamPool {
  /** The engine that answered first; all connections lead to it. */
  readonly engine: EngineInfo;
  /** Room for one stream, dialled for if need be. Fails with the driver's codes, ENGINE_CHANGED, TIMEOUT or ABORTED. */
  claim(signal: AbortSignal): Promise<UpstreamClaim>;
  connectionCount(): number;
  activeCount(): number;
  close(): Promise<void>;
}

/** A client that waits for its answer gets to know sooner than one that waits for the start. */
const REDIAL_BUDGET_MS = 10_000;

/** Connects to the engine, and remembers which one that is. Fails as `openSession` does until it has an engine. */
export async function openUpstreamPool(options: UpstreamPoolOptions): Promise<UpstreamPool> {
  const { runner, keepaliveMs, idleMs, clock = systemClock } = options;
  const upstreams = new Set<Upstream>();
  const ending = new AbortController();
  const first = await dial({ ...options, budgetMs: options.connectBudgetMs });
  const engine = first.info;
  let dialing: Promise<void> | undefined;
  add(first);

  return {
    engine,
    async claim(signal) {
      for (;;) {
        throwIfAborted(ending.signal);
        throwIfAborted(signal);
        const claimed = await claimOne();
        if (claimed !== undefined) return claimed;
        dialing ??= redial().finally(() => (dialing = undefined));
        await orAborted(dialing, signal);
      }
    },
    connectionCount: () => upstreams.size,
    activeCount: () => [...upstreams].reduce((sum, upstream) => sum + upstream.activeCount(), 0),
    async close() {
      ending.abort(new RunnerError("ABORTED", "the bridge was closed"));
      await Promise.all([...upstreams].map((upstream) => upstream.close()));
      await dialing?.catch(() => {});
    },
  };

  /** A claim on a connection that has just been found to answer. */
  async function claimOne(): Promise<UpstreamClaim | undefined> {
    for (const upstream of upstreams) {
      const claimed = upstream.claim();
      if (claimed === undefined) continue;
      if (await upstream.check()) return claimed;
      claimed.release();
      // Others may still be waiting on it; alone it is of no use.
      if (upstream.activeCount() === 0) upstream.destroy();
    }
    return undefined;
  }

  async function redial(): Promise<void> {
    const control = await dial({ ...options, signal: ending.signal, budgetMs: REDIAL_BUDGET_MS });
    const { name, version } = control.info;
    if (ending.signal.aborted || name !== engine.name || version !== engine.version) {
      closeControl(control);
      throwIfAborted(ending.signal);
      throw engineChanged(runner.url, `${engine.name} (${engine.version}) first, now ${name} (${version}); start the bridge anew if the engine was replaced`);
    }
    add(control);
  }

  function add(control: ControlConnection): void {
    const upstream = createUpstream({ control, keepaliveMs, idleMs, now: clock.now, onGone: () => upstreams.delete(upstream) });
    upstreams.add(upstream);
  }
}

function dial({ runner, budgetMs, ...options }: UpstreamPoolOptions & { readonly budgetMs: number }): Promise<ControlConnection> {
  const { signal, report, clock } = options;
  return retryTransient(() => openControlConnection(runner, { signal, report }), { what: `connecting to ${runner.url}`, budgetMs, signal, report, clock });
}
