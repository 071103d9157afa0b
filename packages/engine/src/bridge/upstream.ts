import { withinBudget, type RunnerError } from "@anyrunner/core";
import type { UpstreamClaim } from "@anyrunner/protocol";

import type { ControlConnection } from "../control-connection.ts";
import { closeControl } from "../dial-session.ts";
import { watchLiveness } from "../liveness.ts";

/** One HTTP/2 connection to the engine, on which the requests of many clients run. */
export interface Upstream {
  /** A place for one stream; undefined when it is full, or not to be trusted with a new one. */
  claim(): UpstreamClaim | undefined;
  /** Whether it answers: at once where it has spoken lately, else by a ping. Where it doesn't, it is not used until it speaks again. */
  check(): Promise<boolean>;
  activeCount(): number;
  close(): Promise<void>;
  destroy(): void;
}

export interface UpstreamOptions {
  readonly control: ControlConnection;
  /** Called once, when it is gone, with the reason unless it ended in order. */
  readonly onGone: (error: Error | undefined) => void;
  readonly keepaliveMs: number;
  /** How long it may stay without a stream before it is closed, in ms. */
  readonly idleMs: number;
  readonly now: () => number;
}

/** What has been heard within this time, in ms, is there. */
const FRESH_MS = 2000;
/** How long a connection that is to get a new stream may take to answer a ping, in ms. */
const CHECK_BUDGET_MS = 3000;
const PING_BUDGET_MS = 45_000;
const GRACE_MS = 1000;

/** Watches over one connection: pings against middleboxes that cut what is silent, an end when nobody needs it. */
export function createUpstream({ control, onGone, keepaliveMs, idleMs, now }: UpstreamOptions): Upstream {
  const { http2 } = control;
  let active = 0;
  let heardAt = now();
  let trusted = true;
  let checking: Promise<boolean> | undefined;
  let idle: NodeJS.Timeout | undefined;

  const heard = () => {
    heardAt = now();
    trusted = true;
  };
  const destroy = (error?: RunnerError) => {
    clearTimeout(idle);
    stopWatching();
    if (error !== undefined) http2.destroy(error);
    closeControl(control);
  };
  const close = async () => {
    clearTimeout(idle);
    stopWatching();
    await http2.close({ graceMs: GRACE_MS });
    closeControl(control);
  };
  const waitForUse = () => {
    clearTimeout(idle);
    idle = setTimeout(() => {
      trusted = false;
      void close();
    }, idleMs).unref();
  };
  const stopWatching = watchLiveness({ http2, onDead: destroy, intervalMs: keepaliveMs, budgetMs: PING_BUDGET_MS });
  void http2.closed.then((error) => {
    destroy();
    onGone(error);
  });
  waitForUse();

  return {
    claim() {
      if (!trusted || active >= http2.maxStreams() || http2.lost() !== undefined) return undefined;
      active += 1;
      clearTimeout(idle);
      let released = false;
      return {
        open: (headers, options) => http2.openStream(headers, options),
        heard,
        release() {
          if (released) return;
          released = true;
          active -= 1;
          if (active === 0) waitForUse();
        },
      };
    },
    check() {
      if (now() - heardAt < FRESH_MS) return Promise.resolve(true);
      checking ??= answersPing().finally(() => (checking = undefined));
      return checking;
    },
    activeCount: () => active,
    close,
    destroy,
  };

  async function answersPing(): Promise<boolean> {
    const answered = http2.ping().then(
      () => {
        heard();
        return true;
      },
      () => false,
    );
    const alive = (await withinBudget(CHECK_BUDGET_MS, answered)) ?? false;
    if (!alive) trusted = false;
    return alive;
  }
}
