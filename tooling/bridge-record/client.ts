import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export interface Place {
  /** The official CLI. */
  readonly program: string;
  /** What it takes as its runner host. */
  readonly runnerHost: string;
  /** The folder of the module. */
  readonly cwd: string;
}

/** A command of the official CLI, whose output and exit code are waited for. */
export async function official(place: Place, args: readonly string[], input = ""): Promise<string> {
  const child = start(place, args);
  child.stdin.on("error", () => {}).end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit") as Promise<[number | null]>]);
  if (code === 0) return stdout.trim();
  const error = stderr.split("\n").findLast((line) => /error/i.test(line)) ?? "";
  return `${stdout.trim()} exit ${code}: ${error.replaceAll(/\u001b\[[0-9;]*m|\s*\[traceparent:[^\]]*\]/g, "").trim()}`.trim();
}

export function start({ program, runnerHost, cwd }: Place, args: readonly string[]) {
  // Where the CLI is a client of its own SDK, as in mcp, that starts a CLI, too.
  const own = { _EXPERIMENTAL_DAGGER_RUNNER_HOST: runnerHost, _EXPERIMENTAL_DAGGER_CLI_BIN: program };
  const env = { ...process.env, ...own, DAGGER_NO_NAG: "1", DO_NOT_TRACK: "1" };
  return spawn(program, ["--progress", "plain", ...args], { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
}
