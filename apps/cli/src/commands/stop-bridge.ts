import { connect } from "node:net";

import { openBridgeStore, type StoredBridge } from "@anyrunner/config";
import { RunnerError } from "@anyrunner/core";
import { pause } from "@anyrunner/core/driver";
import { parseListenUrl } from "@anyrunner/engine";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { interruptible } from "../interrupts.ts";

export interface StopBridgeOptions {
  /** As the bridge printed it. */
  readonly address: string;
  readonly command: readonly string[];
}

/** An engine that goes with its bridge has ten minutes to end its sessions and to write its cache down. */
const BUDGET_MS = 15 * 60_000;
const POLL_MS = 100;
const CONNECT_BUDGET_MS = 5000;

/** Ends a bridge of this user and waits until it, and an engine that goes with it, is gone. That there is none is fine. Fails with TIMEOUT and USAGE. */
export function stopBridgeCommand(context: CommandContext, { address, command }: StopBridgeOptions): Promise<number> {
  if (command.length > 0) throw new RunnerError("USAGE", `"${command[0]}" is unexpected`, { hint: "--stop takes an address and nothing else" });
  return interruptible(async (signal) => {
    const store = openBridgeStore({ env: context.env });
    const bridge = await store.at(address);
    // Since a number of a process that is gone may have become that of another, only one that serves is ended.
    const serves = bridge !== undefined && (await listens(address, signal));
    if (serves) {
      process.kill(bridge.pid, "SIGTERM");
      await awaitEnd(bridge, { gone: async () => (await store.at(address)) === undefined, signal });
    }
    if (context.json) context.print(JSON.stringify({ address, stopped: serves }));
    else context.note(serves ? `the bridge to ${bridge.runner} has ended` : `no bridge serves ${address}`);
    return EXIT.success;
  });
}

async function awaitEnd(
  { pid, address }: StoredBridge,
  { gone, signal }: { readonly gone: () => Promise<boolean>; readonly signal: AbortSignal },
): Promise<void> {
  const giveUpAt = performance.now() + BUDGET_MS;
  while (!(await gone())) {
    if (performance.now() > giveUpAt)
      throw new RunnerError("TIMEOUT", `the bridge at ${address} still runs after ${BUDGET_MS / 60_000} minutes`, {
        hint: `look at process ${pid}, and kill it`,
      });
    await pause(POLL_MS, signal);
  }
}

async function listens(address: string, signal: AbortSignal): Promise<boolean> {
  const listen = parseListenUrl(address.replace(/\?.*$/, ""));
  const socket = listen.kind === "unix" ? connect(listen.path) : connect(listen.port, listen.host);
  const budget = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_BUDGET_MS)]);
  try {
    return await new Promise<boolean>((resolve, reject) => {
      budget.addEventListener("abort", () => (signal.aborted ? reject(signal.reason as Error) : resolve(false)), { once: true });
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
