import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { RunnerError, throwIfAborted } from "@anyrunner/core";
import { openProgramStream, runProgram, spawnProgram, type ProgramStream, type SpawnedProgram } from "@anyrunner/exec";

import { createChannelLog, type ChannelLog } from "./channel-log.ts";
import { hostSettings, type HostSettings } from "./host-settings.ts";
import { masterArguments } from "./master-arguments.ts";
import { makePrivateFolder, type PrivateFolder } from "./private-folder.ts";
import { ForwardDeniedError, requestForward } from "./request-forward.ts";
import { sshError } from "./ssh-error.ts";
import { destinationArguments, formatSshHost, type SshHost } from "./ssh-host.ts";
import type { SshSettings } from "./ssh-settings.ts";
import { untilExists } from "./until-exists.ts";

/** One ssh process with one connection, which others use. */
export interface SshMaster {
  readonly channels: ChannelLog;
  /** Resolves when the connection is gone; with the reason, unless it was closed here. */
  readonly ended: Promise<RunnerError | undefined>;
  /** The same, to be asked at any time: absent while the connection lives. */
  readonly end: MasterEnd | undefined;
  /** Calls `listener` when the connection is gone. Returns what takes it back: streams come and go while the connection stays. */
  onEnd(listener: (end: MasterEnd) => void): () => void;
  /** The path of a local socket that leads to the host's `remotePath`. */
  forward(remotePath: string): Promise<string>;
  /** Runs a command line in the user's shell on the host; its standard input and output are the stream. */
  openCommand(commandLine: string, options: { readonly signal?: AbortSignal | undefined }): Promise<ProgramStream>;
  runCommand(commandLine: string): Promise<{ readonly exitCode: number }>;
  /** The end of what ssh said. */
  stderrTail(): string;
  close(): Promise<void>;
}

export interface StartMasterOptions {
  readonly signal?: AbortSignal | undefined;
  /** What ssh says of the host, where that was asked just now. Default: it is asked. */
  readonly found?: HostSettings | undefined;
}

export interface MasterEnd {
  /** Absent when the connection was closed here. */
  readonly reason: RunnerError | undefined;
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
export async function startMaster(host: SshHost, settings: SshSettings, { signal, found }: StartMasterOptions = {}): Promise<SshMaster> {
  throwIfAborted(signal);
  const folder = await makePrivateFolder();
  const control = join(folder.path, "c");
  try {
    const ssh = await spawnProgram({
      command: "/bin/sh",
      args: [
        "-c",
        GUARD,
        folder.path,
        "ssh",
        ...masterArguments(control, settings, found ?? (await hostSettings(host, settings, { signal }))),
        ...destinationArguments(host),
      ],
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
  let established = false;
  let end: MasterEnd | undefined;
  const listeners = new Set<(end: MasterEnd) => void>();
  const ended = ssh.exited.then(async ({ exitCode }) => {
    // The guard goes with ssh; then its last words have come.
    await ssh.end();
    ssh.stdin?.destroy();
    await linesEnded;
    await folder.remove();
    const reason = closing ? undefined : sshError({ host, exitCode, stderr: tail, established });
    end = { reason };
    for (const listener of listeners) listener(end);
    return reason;
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
    established = true;
  } catch (error) {
    await close();
    throw error;
  }

  // Should the connection be gone, ssh would make one of its own; it must not.
  const viaControl = ["-F", "/dev/null", "-S", control, "-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-T"];
  const forwards = new Map<string, Promise<string>>();
  return {
    channels,
    ended,
    get end() {
      return end;
    },
    onEnd(listener) {
      listeners.add(listener);
      if (end !== undefined) listener(end);
      return () => void listeners.delete(listener);
    },
    forward(remotePath) {
      const known = forwards.get(remotePath);
      if (known !== undefined) return known;
      const local = join(folder.path, `f${forwards.size}`);
      const made = addForward({ control, local, remotePath, host });
      forwards.set(remotePath, made);
      made.catch(() => forwards.delete(remotePath));
      return made;
    },
    openCommand: (commandLine, { signal: callSignal }) =>
      openProgramStream({ command: "ssh", args: [...viaControl, "--", "host", commandLine], env: settings.env, signal: callSignal }),
    runCommand: (commandLine) =>
      runProgram({ command: "ssh", args: [...viaControl, "--", "host", commandLine], env: settings.env, timeoutMs: COMMAND_BUDGET_MS }),
    stderrTail: () => tail,
    close,
  };
}

interface AddForward {
  readonly control: string;
  readonly local: string;
  readonly remotePath: string;
  readonly host: SshHost;
}

async function addForward({ control, local, remotePath, host }: AddForward): Promise<string> {
  await requestForward({ control, local, remotePath, budgetMs: COMMAND_BUDGET_MS }).catch((error: Error) => {
    // Whoever listens at the control socket is logged in: short of a refusal, the connection has ended.
    throw sshError({ host, stderr: error.message, established: !(error instanceof ForwardDeniedError) });
  });
  return local;
}
