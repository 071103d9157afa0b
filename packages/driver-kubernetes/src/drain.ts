import { addAbortSignal } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import { abortedError, RunnerError, throwIfAborted, type StopOptions } from "@anyrunner/core";
import { countSessions, LIVE_SESSIONS_SCRIPT } from "@anyrunner/engine-container";

import type { Cluster } from "./cluster.ts";
import { createExecDuplex } from "./exec-duplex.ts";
import { openExecSocket } from "./exec-socket.ts";
import { execStartError } from "./exec-status.ts";

const LOOK_MS = 1000;
const LOOK_BUDGET_MS = 10_000;

interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/**
 * Waits until no session uses the engine. A container that can't be asked runs no engine. Fails with TIMEOUT when sessions are still there after
 * `graceMs`.
 */
export async function drainEngine(cluster: Cluster, place: Place, { graceMs, signal, report }: StopOptions & { readonly graceMs: number }): Promise<void> {
  let told = 0;
  for (let waited = 0; ; waited += LOOK_MS) {
    const live = countSessions((await look(cluster, place, signal)) ?? "") ?? 0;
    if (live === 0) return;
    const who = `${live} ${live === 1 ? "session" : "sessions"}`;
    if (live !== told) report?.({ type: "progress", id: "engine-drain", message: `waiting for ${who} on the engine "${place.pod}"` });
    told = live;
    if (waited >= graceMs) {
      throw new RunnerError("TIMEOUT", `the engine "${place.pod}" is still in use by ${who} after ${Math.round(graceMs / 1000)} s, and goes on running`, {
        hint: "wait longer, or stop it by force, which ends them and discards the cache",
        driver: "kubernetes",
      });
    }
    await sleep(LOOK_MS, undefined, { signal }).catch((cause: unknown) => {
      throw signal?.aborted ? abortedError(signal) : cause;
    });
  }
}

async function look(cluster: Cluster, place: Place, signal: AbortSignal | undefined): Promise<string | undefined> {
  const expired = AbortSignal.timeout(LOOK_BUDGET_MS);
  try {
    const exec = await openExecSocket(cluster, { ...place, command: ["sh", "-c", LIVE_SESSIONS_SCRIPT], handshakeBudgetMs: LOOK_BUDGET_MS, signal });
    const { where } = cluster;
    const { stream } = createExecDuplex(exec, {
      where,
      queueBytes: 0,
      pingIntervalMs: LOOK_BUDGET_MS,
      graceMs: LOOK_BUDGET_MS,
      startError: (status) => Promise.resolve(execStartError(status, { ...place, program: "sh", where })),
    });
    addAbortSignal(signal === undefined ? expired : AbortSignal.any([signal, expired]), stream);
    let text = "";
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString("latin1");
    return text;
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
