import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
}

export interface Run {
  /** From spawn to exit. */
  readonly wallMs: number;
  /** Highest resident set that was seen of the process itself, in MiB; children are not counted. */
  readonly peakMiB: number;
  readonly stdout: string;
}

const SAMPLE_MS = 10;

/** Runs a command once; a failing one ends the bench. */
export function measure(command: Command): Promise<Run> {
  const [file, ...args] = command.argv;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(file, args, { env: { ...process.env, ...command.env }, cwd: command.cwd, stdio: ["pipe", "pipe", "pipe"] });
    let peakMiB = 0;
    let stdout = "";
    let stderr = "";
    // The high-water mark only grows, so the last sample before the exit is near the truth.
    const sampler = setInterval(() => (peakMiB = Math.max(peakMiB, highWaterMiB(child.pid))), SAMPLE_MS);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr = (stderr + chunk).slice(-4000)));
    child.stdin.on("error", () => {});
    child.stdin.end(command.stdin ?? "");
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(sampler);
      if (code === 0) resolve({ wallMs: performance.now() - started, peakMiB, stdout });
      else reject(new Error(`${command.argv.join(" ")} ended with ${code}: ${stderr}`));
    });
  });
}

/** The highest resident set of a process since its start, or since it was reset. 0 when it is gone. */
export function highWaterMiB(pid: number | undefined): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(match?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Lets a process's highest resident set begin anew at what it has now. */
export function resetHighWater(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
