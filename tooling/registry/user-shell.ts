import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";

/** What a command printed, both streams in their order. */
export interface ShellResult {
  readonly exitCode: number;
  readonly output: string;
}

/** A user at a shell: an empty home, an empty folder, this Node, and npm with the given registry. `cd` lasts. */
export interface UserShell extends AsyncDisposable {
  readonly home: string;
  cwd(): string;
  /** Runs lines as bash does, up to the first that fails. */
  run(lines: string, options?: { readonly env?: Readonly<Record<string, string>>; readonly input?: string }): Promise<ShellResult>;
  /** Leaves a command running until the shell is left; resolves when it has printed `text`. */
  serve(line: string, text: string): Promise<void>;
}

export function openUserShell(registry: Readonly<Record<string, string>>): UserShell {
  const home = realpathSync(mkdtempSync(path.join(tmpdir(), "anyrunner-user-")));
  let cwd = path.join(home, "work");
  mkdirSync(cwd);
  const servers: ChildProcess[] = [];
  // What runs the tests must not tell: npm and vitest of the user are on their own.
  const { PATH = "", DOCKER_HOST, DOCKER_CONTEXT } = process.env;
  const programs = [path.dirname(process.execPath), ...PATH.split(path.delimiter).filter((folder) => !folder.includes("node_modules"))];
  const outer = { PATH: programs.join(path.delimiter), DOCKER_HOST, DOCKER_CONTEXT };
  const envWith = (env: Readonly<Record<string, string>> = {}) => ({ ...outer, ...registry, HOME: home, CI: "true", NO_COLOR: "1", ...env });
  return {
    home,
    cwd: () => cwd,
    async run(lines, { env, input = "" } = {}) {
      const place = path.join(home, ".cwd");
      const child = spawn("bash", ["-c", `exec 2>&1\nset -euo pipefail\n${lines}\npwd -P >${place}`], {
        cwd,
        env: envWith(env),
        stdio: ["pipe", "pipe", "inherit"],
      });
      child.stdin.end(input);
      const [output] = await Promise.all([text(child.stdout), once(child, "close")]);
      if (child.exitCode === 0) cwd = readFileSync(place, "utf8").trim();
      return { exitCode: child.exitCode ?? -1, output };
    },
    serve(line, awaited) {
      const child = spawn("bash", ["-c", `exec 2>&1\n${line}`], { cwd, env: envWith(), detached: true, stdio: ["ignore", "pipe", "inherit"] });
      servers.push(child);
      return new Promise((resolve, reject) => {
        let output = "";
        child.stdout.on("data", (chunk: Buffer) => {
          output += chunk.toString();
          if (output.includes(awaited)) resolve();
        });
        child.once("exit", (code) => reject(new Error(`${line} ended with ${code}: ${output}`)));
      });
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        if (server.pid === undefined || server.exitCode !== null) continue;
        const ended = once(server, "exit");
        process.kill(-server.pid, "SIGTERM");
        await ended;
      }
      rmSync(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
