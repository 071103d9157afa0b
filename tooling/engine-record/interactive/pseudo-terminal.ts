import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface PseudoTerminal {
  /** Everything that was shown so far. */
  seen(): string;
  type(text: string): void;
  /** Resolves with what was shown behind `from` as soon as that matches. Rejects when nothing does for a minute. */
  shows(pattern: RegExp, from?: number): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  /** The program's exit code, and whether the terminal's modes are what they were. */
  end(): Promise<{ readonly code: number; readonly restored: boolean }>;
}

export interface StartOnTerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
}

const PATIENCE_MS = 60_000;

/** Starts a program on a pseudo-terminal, by `script` of util-linux. */
export async function startOnTerminal(command: readonly string[], { cwd, env, columns, rows }: StartOnTerminalOptions): Promise<PseudoTerminal> {
  const notes = await mkdtemp(join(tmpdir(), "pseudo-terminal-"));
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const script = `tty >${notes}/tty; stty cols ${columns} rows ${rows}; stty -g >${notes}/before; ${quoted}; code=$?; stty -g >${notes}/after; exit $code`;
  const child = spawn("script", ["-qec", script, "/dev/null"], { cwd, env: { ...process.env, ...env, TERM: "xterm" }, stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "close") as Promise<[number]>;
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (output: string) => (seen += output));
  child.stdin.on("error", () => {});
  const note = async (name: string) => (await readFile(join(notes, name), "utf8")).trim();
  return {
    seen: () => seen,
    type: (text) => void child.stdin.write(text),
    async shows(pattern, from = 0) {
      const giveUp = AbortSignal.timeout(PATIENCE_MS);
      for (;;) {
        const shown = seen.slice(from);
        if (pattern.test(shown)) return shown;
        if (child.exitCode !== null || giveUp.aborted) {
          child.kill();
          throw new Error(`no ${pattern} in ${JSON.stringify(shown.slice(-500))}`);
        }
        await Promise.race([once(child.stdout, "data", { signal: giveUp }), exited]).catch(() => {});
      }
    },
    async resize(newColumns, newRows) {
      await promisify(execFile)("stty", ["-F", await note("tty"), "cols", String(newColumns), "rows", String(newRows)]);
    },
    async end() {
      const [code] = await exited;
      const restored = (await note("before")) === (await note("after"));
      await rm(notes, { recursive: true });
      return { code, restored };
    },
  };
}
