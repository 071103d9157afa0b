import { connect } from "node:net";
import type { Duplex } from "node:stream";

import type { Runner } from "@anyrunner/core";
import { duplexPair, openHttp2Connection, type Http2Connection } from "@anyrunner/protocol";

import { runnerOn } from "../test-runner.fixture.ts";
import type { OpenSessionOptions } from "../open-session-options.ts";
import { openSession, type EngineSession } from "../session.ts";
import type { Bridge } from "./serve-bridge.ts";

/** A stream to the bridge, as a client dials it. */
export function dialBridge({ address }: Bridge): Duplex {
  if (address.kind === "unix") return connect(address.path);
  return connect(address.port, address.host);
}

export function openBridgeConnection(bridge: Bridge): Http2Connection {
  return openHttp2Connection(dialBridge(bridge));
}

/** A whole client, all of whose streams lead to the bridge. */
export async function openBridgeSession(bridge: Bridge, options: Partial<OpenSessionOptions> = {}): Promise<EngineSession> {
  return openSession(await runnerOn(() => dialBridge(bridge)), { env: {}, cwd: "/", ...options });
}

/** A middlebox in front of an engine: streams pass until it cuts them. */
export interface Middlebox {
  readonly runner: Runner;
  /** Streams that pass now. */
  count(): number;
  /** How many were ever dialled. */
  dialled(): number;
  /** Streams on which nothing has passed since the last `cutSilent`. */
  silentCount(): number;
  /** Cuts those streams. */
  cutSilent(): void;
  /** Ends every stream as a reset does. */
  cut(): void;
  /** Swallows what is sent on every stream from now on, in silence, as a box does that has forgotten the connection. */
  forget(): void;
}

export async function createMiddlebox(dialEngine: () => Duplex): Promise<Middlebox> {
  const ends = new Set<readonly [near: Duplex, engine: Duplex]>();
  const heard = new Set<Duplex>();
  let dialled = 0;
  const runner = await runnerOn(() => {
    const [near, far] = duplexPair();
    const engine = dialEngine();
    const pair = [near, engine] as const;
    dialled += 1;
    ends.add(pair);
    for (const stream of [far, engine]) stream.on("error", () => {});
    for (const stream of [far, engine]) stream.on("data", () => heard.add(near));
    far.pipe(engine).pipe(far);
    near.once("close", () => {
      ends.delete(pair);
      engine.destroy();
    });
    engine.once("close", () => far.destroy());
    return near;
  });
  const silent = () => [...ends].flatMap(([near]) => (heard.has(near) ? [] : [near]));
  return {
    runner,
    count: () => ends.size,
    dialled: () => dialled,
    silentCount: () => silent().length,
    cutSilent() {
      for (const near of silent()) reset(near);
      heard.clear();
    },
    cut() {
      for (const [near] of ends) reset(near);
    },
    forget() {
      for (const [near, engine] of ends) {
        near.write = swallow;
        engine.unpipe();
        engine.resume();
      }
    },
  };
}

function reset(stream: Duplex): void {
  stream.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
}

function swallow(...args: readonly unknown[]): boolean {
  const callback = args.at(-1);
  if (typeof callback === "function") setImmediate(callback as () => void);
  return true;
}
