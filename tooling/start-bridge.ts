import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

import { REPOSITORY } from "./workspace-packages.ts";

export interface StartedBridge {
  /** What clients take as their runner host. */
  readonly address: string;
  readonly pid: number;
  /** Resolves with its exit code. */
  end(): Promise<number | null>;
}

/** `anyrunner bridge` of the sources, once it listens. Rejects when it ends before that. */
export async function startBridge(runner: string): Promise<StartedBridge> {
  const program = path.join(REPOSITORY, "apps", "cli", "src", "bin.ts");
  const child = spawn(process.execPath, [program, "bridge", "--runner", runner, "--json", "--silent"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const ended = exited.then(([code]) => Promise.reject(new Error(`the bridge to ${runner} ended with ${String(code)}`)));
  ended.catch(() => {});
  const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), ended])) as [string];
  return {
    address: (JSON.parse(line) as { readonly address: string }).address,
    pid: child.pid as number,
    async end() {
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
  };
}
