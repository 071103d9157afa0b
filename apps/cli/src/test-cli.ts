import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { runProgram, signalExitCode, spawnProgram } from "@anyrunner/exec";

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface CliOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly input?: string | undefined;
}

/** A running `anyrunner`, with pipes for its three streams. */
export interface RunningCli {
  readonly pid: number;
  readonly stdin: NodeJS.WritableStream;
  /** Resolves when standard output or error contains `text`. */
  waitFor(text: string): Promise<void>;
  /** What it has written to standard output so far. */
  stdout(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<CliResult>;
}

/** The command line from source, in an empty home. */
export interface CliHarness {
  readonly home: string;
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  start(args: readonly string[], options?: CliOptions): Promise<RunningCli>;
  remove(): Promise<void>;
}

const BIN = join(import.meta.dirname, "bin.ts");

export async function createCliHarness(): Promise<CliHarness> {
  const home = await mkdtemp(join(tmpdir(), "anyrunner-cli-"));
  const program = (args: readonly string[], { env = {}, cwd = home }: CliOptions) => ({
    command: process.execPath,
    args: [BIN, ...args],
    cwd,
    env: { PATH: process.env["PATH"], HOME: home, NODE_DISABLE_COMPILE_CACHE: "1", ...env },
  });
  return {
    home,
    async run(args, options = {}) {
      const { exitCode, stdout, stderr } = await runProgram({ ...program(args, options), input: options.input, timeoutMs: 120_000 });
      return { exitCode, stdout: stdout.toString(), stderr };
    },
    start: async (args, options = {}) => startCli(program(args, options)),
    // A program in the background may still write there.
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 10 }),
  };
}

/** Waits until no stream to the engine is open any more. Throws when that takes a minute. */
export async function streamsClosed(engine: { streamCount(): number }): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  while (engine.streamCount() > 0) {
    if (performance.now() > giveUpAt) throw new Error(`${engine.streamCount()} streams to the engine are still open`);
    await delay(20);
  }
}

async function startCli(program: Parameters<typeof runProgram>[0]): Promise<RunningCli> {
  const child = await spawnProgram({ ...program, stdio: "pipe" });
  const { stdin, stdout, stderr } = child;
  if (stdin === undefined || stdout === undefined || stderr === undefined) throw new Error("no pipes");
  stdin.on("error", () => {});
  const seen = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  const closed = Promise.all(
    (["stdout", "stderr"] as const).map((name) => {
      const stream = name === "stdout" ? stdout : stderr;
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        seen[name] += chunk;
        for (const listener of listeners) listener();
      });
      return new Promise((resolve) => stream.once("close", resolve));
    }),
  );
  const ended = Promise.all([child.exited, closed]).then(([{ exitCode, signal }]) => ({ exitCode: exitCode ?? signalExitCode(signal ?? ""), ...seen }));
  return {
    pid: child.pid,
    stdin,
    async waitFor(text) {
      const found = new Promise<void>((resolve) => {
        const check = () => {
          if (!seen.stdout.includes(text) && !seen.stderr.includes(text)) return;
          listeners.delete(check);
          resolve();
        };
        listeners.add(check);
        check();
      });
      await Promise.race([found, ended.then((result) => Promise.reject(new Error(`ended without "${text}": ${JSON.stringify(result)}`)))]);
    },
    stdout: () => seen.stdout,
    kill: (signal) => void process.kill(child.pid, signal),
    ended,
  };
}
