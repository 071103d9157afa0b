import { chooseClientRunner, openClientRunner } from "@anyrunner/client";
import { openBridgeStore, openEngineUses, type StoredBridge } from "@anyrunner/config";
import { formatProvenance, RUNNER_HOST_VARIABLES, RunnerError, throwIfAborted, type ChosenRunner, type Runner } from "@anyrunner/core";
import type { Bridge } from "@anyrunner/engine";

import { bridgeAddress } from "../bridge-address.ts";
import { exitCodeOfChild, forwardTo, startChild } from "../child-command.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { interruption, onInterrupt, type EndSignal } from "../interrupts.ts";
import { chooseShell, formatExport } from "../shell-exports.ts";
import { watchEngineStart } from "../watch-engine-start.ts";

export interface BridgeCommandOptions {
  readonly runner?: string | undefined;
  /** `unix:///path`, `tcp://127.0.0.1:port` or `tls://host:port`. Default: a socket in a folder of its own. */
  readonly listen?: string | undefined;
  /** Folder of certificates as `anyrunner certs` makes them, for `tls://`. */
  readonly certs?: string | undefined;
  readonly insecureTcp: boolean;
  /** Run a command with the bridge as its runner, and end with it. */
  readonly exec: boolean;
  /** In the end, remove the engine that this bridge has started; its cache stays. Default false. */
  readonly remove?: boolean | undefined;
  readonly command: readonly string[];
  readonly shell?: string | undefined;
  /** Between the signal that was forwarded to the command and SIGKILL, in ms. */
  readonly cleanupTimeoutMs: number;
}

/** The variable by which official clients find their runner. */
const VARIABLE = RUNNER_HOST_VARIABLES[0];

/** Addresses behind which there can be several engines. */
const MAY_BALANCE = /^(tcp|tls):/;

/**
 * Makes the runner a local endpoint for official clients until a signal comes, or for as long as a command runs, whose exit code it
 * then has. Fails as `serveBridge` does, and with USAGE.
 */
export async function bridgeCommand(context: CommandContext, options: BridgeCommandOptions): Promise<number> {
  checkUsage(options);
  const connecting = new AbortController();
  let onSignal: (signal: EndSignal) => void = (signal) => connecting.abort(interruption(signal));
  const stop = onInterrupt((signal) => onSignal(signal));
  try {
    const { listen, identity, parameters } = await bridgeAddress(context, options);
    const chosen = await chooseClientRunner(context, { runner: options.runner, signal: connecting.signal });
    if (chosen.chosen.kind === "session") throw insideSession(chosen.chosen);
    const { url: runnerUrl, from } = chosen.chosen;
    const engine = watchEngineStart(context);
    const runner = await openClientRunner(engine.context, { runner: { ...chosen, chosen: chosen.chosen }, signal: connecting.signal });
    const { serveBridge } = await import("@anyrunner/engine");
    const { env, report } = context;
    const bridge = await serveBridge({
      runner,
      env,
      report,
      listen,
      identity,
      insecureTcp: options.insecureTcp,
      dialTwice: MAY_BALANCE.test(runnerUrl),
      signal: connecting.signal,
    });
    const address = `${bridge.url}${parameters}`;
    const registered = await register(context, { runnerUrl, runner, address });
    try {
      announce(context, { runner: runner.url, engine: bridge.engine.version, address, from });
      if (options.exec)
        return await runWithBridge(context, options, { address, signal: connecting.signal, setSignalListener: (listener) => (onSignal = listener) });
      printAddress(context, options, { runner, bridge, address });
      throwIfAborted(connecting.signal);
      await new Promise<void>((resolve) => (onSignal = () => resolve()));
      return EXIT.success;
    } finally {
      // Whoever interrupts the farewell doesn't want to wait for it.
      onSignal = () => process.exit(EXIT.interrupted);
      await bridge.close();
      await registered.release();
      try {
        if (options.remove) await engine.remove(runner);
      } finally {
        // Who waits for the end of the bridge waits until it is forgotten.
        await registered.forget();
      }
    }
  } finally {
    stop();
  }
}

function checkUsage({ exec, command }: BridgeCommandOptions): void {
  if (exec === command.length > 0) return;
  throw exec
    ? new RunnerError("USAGE", "--exec needs a command", { hint: "write anyrunner bridge --exec -- COMMAND" })
    : new RunnerError("USAGE", `"${command[0]}" is unexpected`, { hint: "to run a command with the bridge, write --exec -- COMMAND" });
}

function insideSession({ from }: ChosenRunner): RunnerError {
  return new RunnerError("UNSUPPORTED", `there is no engine to bridge to inside ${formatProvenance(from)}`, {
    hint: "name a runner with --runner, or leave the session; the official CLI joins it by itself",
  });
}

interface Registered {
  /** The engine is no longer used by us. */
  release(): Promise<void>;
  /** The bridge is gone. */
  forget(): Promise<void>;
}

/** For `anyrunner env`, for what looks after engines that nobody uses, and for what killed bridges left behind. */
async function register(
  { env }: CommandContext,
  { runnerUrl, runner, address }: { readonly runnerUrl: string; readonly runner: Runner; readonly address: string },
): Promise<Registered> {
  const store = openBridgeStore({ env });
  const [gone, lease] = await Promise.all([
    // What can't be written is only not found by others.
    store.add(runnerUrl, { address, runner: runner.url, pid: process.pid }).catch((): readonly StoredBridge[] => []),
    openEngineUses({ env }).lease(runner.handle),
  ]);
  if (gone.length > 0) {
    const { removeSocketFolder } = await import("@anyrunner/engine");
    await Promise.all(gone.map((bridge) => removeSocketFolder(bridge.address)));
  }
  return { release: () => lease.release(), forget: () => store.remove(address).catch(() => {}) };
}

/** The first line on standard error: which runner, which engine, and who says so. */
function announce(
  { progress, note }: CommandContext,
  facts: { readonly runner: string; readonly engine: string; readonly address: string; readonly from: ChosenRunner["from"] },
): void {
  if (progress === "json") note(JSON.stringify({ type: "bridge", ...facts }));
  else note(`bridge to ${facts.runner} · engine ${facts.engine} · from ${formatProvenance(facts.from)}`);
}

function printAddress(
  context: CommandContext,
  { shell }: BridgeCommandOptions,
  { runner, bridge, address }: { readonly runner: Runner; readonly bridge: Bridge; readonly address: string },
): void {
  if (context.json) {
    const { name, version } = bridge.engine;
    context.print(JSON.stringify({ address, runner: runner.url, engine: { name, version }, pid: process.pid, variables: { [VARIABLE]: address } }));
    return;
  }
  context.print(formatExport(chooseShell(shell, context.env), VARIABLE, address));
  context.note("until interrupted; the line above makes official clients of another shell use it");
}

async function runWithBridge(
  context: CommandContext,
  { command, cleanupTimeoutMs }: BridgeCommandOptions,
  {
    address,
    signal,
    setSignalListener,
  }: { readonly address: string; readonly signal: AbortSignal; readonly setSignalListener: (listener: (signal: EndSignal) => void) => void },
): Promise<number> {
  // A surrounding session would win over the runner host in every client.
  const child = await startChild(context, command, { [VARIABLE]: address, DAGGER_SESSION_PORT: undefined, DAGGER_SESSION_TOKEN: undefined }, signal);
  setSignalListener(forwardTo(child, cleanupTimeoutMs));
  return exitCodeOfChild(await child.exited);
}
