import { addAbortSignal } from "node:stream";

import { signalWithin } from "@anyrunner/core/driver";

import type { Cluster } from "./cluster.ts";
import { createExecDuplex } from "./exec-duplex.ts";
import { openExecSocket } from "./exec-socket.ts";
import { execStartError } from "./exec-status.ts";

const BUDGET_MS = 10_000;

export interface PodPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface RunInPodOptions {
  readonly command: readonly [string, ...string[]];
  /** Default 10,000 ms. */
  readonly budgetMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a short program in a container writes to standard output, whatever its exit code. Fails as an exec does, or when its time is over. */
export async function runInPod(cluster: Cluster, place: PodPlace, { command, budgetMs = BUDGET_MS, signal }: RunInPodOptions): Promise<string> {
  const inTime = signalWithin(budgetMs, signal);
  const exec = await openExecSocket(cluster, { ...place, command, handshakeBudgetMs: budgetMs, signal });
  const { where } = cluster;
  const { stream } = createExecDuplex(exec, {
    where,
    queueBytes: 0,
    pingIntervalMs: budgetMs,
    graceMs: budgetMs,
    startError: (status) => Promise.resolve(execStartError(status, { ...place, program: command[0], where })),
  });
  addAbortSignal(inTime, stream);
  let text = "";
  for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString("latin1");
  return text;
}
