import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { abortedError, RunnerError, throwIfAborted } from "@anyrunner/core";
import { openProgramStream, runProgram, spawnProgram, type ProgramStream, type SpawnedProgram } from "@anyrunner/exec";

import { CHANNEL_LOG_OPTION, createChannelLog, type ChannelLog } from "./channel-log.ts";
import { makePrivateFolder, type PrivateFolder } from "./private-folder.ts";
import { sshError } from "./ssh-error.ts";
import { destinationArguments, formatSshHost, type SshHost } from "./ssh-host.ts";

export interface SshSettings {
  /** Read instead of the user's and the system's ssh configuration. */
  readonly configFile?: string | undefined;
  /** The environment of ssh: SSH_AUTH_SOCK and the like. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** How long connecting and logging in may take, in ms. Default 20,000. */
  readonly connectBudgetMs?: number | undefined;
}

/** One ssh process with one connection, which others use. */
export interface SshMaster {
  readonly channels: ChannelLog;
  /** Resolves when the connection is gone; with the reason, unless it was closed here. */
  readonly ended: Promise<RunnerError | undefined>;
  /** The path of a local socket that leads to the host's `remotePath`. */
  forward(remotePath: string): Promise<string>;
  /** Runs a command line in the user's shell on the host; its standard input and output are the stream. */
  openCommand(commandLine: string, options: { readonly signal?: AbortSignal | undefined }): Promise<ProgramStream>;
  runCommand(commandLine: string): Promise<{ readonly exitCode: number }>;
  /** The end of what ssh said. */
  stderrTail(): string;
  close(): Promise<void>;
}

const DEFAULT_CONNECT_BUDGET_MS = 20_000;
const COMMAND_BUDGET_MS = 10_000;
const STDERR_CHARACTERS = 4096;

/** Ends ssh when standard input ends, as it does even when this process is killed: ssh itself wouldn't notice. Then `$0`, the folder, goes, too. */
const GUARD = `exec 3<&0 </dev/null
"$@" 3<&- & ssh=$!
(cat <&3; kill "$ssh") >/dev/null 2>&1 & guard=$!
exec 3<&-
wait "$ssh"; code=$?
kill "$guard" 2>/dev/null
rm -rf -- "$0"
exit "$code"`;

/**
 * Connects and logs in, with the user's configuration, agent and known hosts; nothing is ever asked. Fails as `sshError` says, or
 * with TIMEOUT, ABORTED; then nothing is left.
 */
export async function startMaster(host: SshHost, settings: SshSettings, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<SshMaster> {
  const { signal } = options;
  throwIfAborted(signal);
  const folder = await makePrivateFolder();
  const control = join(folder.path, "c");
  try {
    const ssh = await spawnProgram({
      command: "/bin/sh",
      args: ["-c", GUARD, folder.path, "ssh", ...(await masterArguments(control, settings)), ...destinationArguments(host)],
      env: settings.env,
      stdio: ["pipe", "ignore", "pipe"],
    });
    return await untilReady({ host, settings, signal, folder, control, ssh });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

interface Starting {
  readonly host: SshHost;
  readonly settings: SshSettings;
  readonly signal: AbortSignal | undefined;
  readonly folder: PrivateFolder;
  readonly control: string;
  readonly ssh: SpawnedProgram;
}

async function untilReady({ host, settings, signal, folder, control, ssh }: Starting): Promise<SshMaster> {
  const channels = createChannelLog();
  let tail = "";
  const lines = createInterface({ input: ssh.stderr as NodeJS.ReadableStream });
  lines.on("line", (line) => {
    if (!channels.readLine(line)) tail = `${tail}${line}\n`.slice(-STDERR_CHARACTERS);
  });
  const linesEnded = once(lines, "close");
  let closing = false;
  const ended = ssh.exited.then(async ({ exitCode }) => {
    // The guard goes with ssh; then its last words have come.
    await ssh.end();
    ssh.stdin?.destroy();
    await linesEnded;
    await folder.remove();
    return closing ? undefined : sshError({ host, exitCode, stderr: tail });
  });
  const close = async () => {
    closing = true;
    await ssh.end();
    await ended;
  };
  try {
    await Promise.race([
      untilExists(control, folder.path, { signal, budgetMs: settings.connectBudgetMs ?? DEFAULT_CONNECT_BUDGET_MS, host }),
      ended.then((reason) => {
        throw reason ?? new RunnerError("CONNECTION_LOST", `the ssh connection to ${formatSshHost(host)} was closed`);
      }),
    ]);
  } catch (error) {
    await close();
    throw error;
  }

  const viaControl = ["-F", "/dev/null", "-S", control, "-o", "BatchMode=yes"];
  // Should the connection be gone, ssh would make one of its own; it must not.
  const onlyViaControl = [...viaControl, "-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-T"];
  const forwards = new Map<string, Promise<string>>();
  return {
    channels,
    ended,
    forward(remotePath) {
      const known = forwards.get(remotePath);
      if (known !== undefined) return known;
      const local = join(folder.path, `f${forwards.size}`);
      const made = addForward({ viaControl, local, remotePath, settings, host });
      forwards.set(remotePath, made);
      made.catch(() => forwards.delete(remotePath));
      return made;
    },
    openCommand: (commandLine, { signal: callSignal }) =>
      openProgramStream({ command: "ssh", args: [...onlyViaControl, "--", "host", commandLine], env: settings.env, signal: callSignal }),
    runCommand: (commandLine) =>
      runProgram({ command: "ssh", args: [...onlyViaControl, "--", "host", commandLine], env: settings.env, timeoutMs: COMMAND_BUDGET_MS }),
    stderrTail: () => tail,
    close,
  };
}

async function masterArguments(control: string, { configFile, env }: SshSettings): Promise<readonly string[]> {
  const options = [
    "BatchMode=yes",
    "ControlPersist=no",
    // What the user's configuration adds for a terminal is not wanted here.
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "LogLevel=INFO",
    // A network that is cut is noticed after half a minute.
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    ...((await knowsLogVerbose(env)) ? [CHANNEL_LOG_OPTION] : []),
  ];
  return [
    ...(configFile === undefined ? [] : ["-F", configFile]),
    "-M",
    "-S",
    control.replaceAll("%", "%%"),
    "-N",
    "-T",
    ...options.flatMap((option) => ["-o", option]),
  ];
}

/** An option that ssh doesn't know is an error to it, and making it ignore some would undo the user's own IgnoreUnknown. */
async function knowsLogVerbose(env: SshSettings["env"]): Promise<boolean> {
  const { stderr } = await runProgram({ command: "ssh", args: ["-V"], env, timeoutMs: COMMAND_BUDGET_MS });
  const [, major, minor] = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(stderr) ?? [];
  return Number(major) * 100 + Number(minor) >= 805;
}

interface AddForward {
  readonly viaControl: readonly string[];
  readonly local: string;
  readonly remotePath: string;
  readonly settings: SshSettings;
  readonly host: SshHost;
}

async function addForward({ viaControl, local, remotePath, settings, host }: AddForward): Promise<string> {
  const specification = `${local}:${remotePath}`.replaceAll("%", "%%");
  const { exitCode, stderr } = await runProgram({
    command: "ssh",
    args: [...viaControl, "-O", "forward", "-L", specification, "--", "host"],
    env: settings.env,
    timeoutMs: COMMAND_BUDGET_MS,
  });
  if (exitCode !== 0) throw sshError({ host, exitCode, stderr });
  return local;
}

/** ssh links the control socket to its place when it is logged in and listens. */
function untilExists(
  path: string,
  folder: string,
  { signal, budgetMs, host }: { readonly signal: AbortSignal | undefined; readonly budgetMs: number; readonly host: SshHost },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(folder);
    const settle = (then: () => void) => {
      clearTimeout(timer);
      watcher.close();
      signal?.removeEventListener("abort", onAbort);
      then();
    };
    const onAbort = () => settle(() => reject(abortedError(signal as AbortSignal)));
    const check = () => {
      if (existsSync(path)) settle(resolve);
    };
    const timer = setTimeout(() => settle(() => reject(outOfTime(host, budgetMs))), budgetMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    watcher.on("change", check);
    // The folder goes when ssh ends first; that is told elsewhere.
    watcher.on("error", () => {});
    if (signal?.aborted) onAbort();
    else check();
  });
}

function outOfTime(host: SshHost, budgetMs: number): RunnerError {
  return new RunnerError("TIMEOUT", `logging in to ${formatSshHost(host)} took longer than ${budgetMs / 1000} s`, {
    hint: "check the address, and whether a firewall drops packets",
    retryable: true,
  });
}
