import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

import type { RecordSettings } from "./settings.ts";

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface Started {
  /** Resolves when its output has the text. */
  said(text: string): Promise<void>;
  readonly finished: Promise<Finished>;
}

type Cluster = Pick<RecordSettings, "kubeconfig" | "namespace">;

/** Starts kubectl in the namespace. */
export function startKubectl({ kubeconfig, namespace }: Cluster, args: readonly string[], input = ""): Started {
  const started = performance.now();
  const child = spawn("kubectl", ["--namespace", namespace, ...args], { env: { ...process.env, KUBECONFIG: kubeconfig }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let over = false;
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => {
      over = true;
      resolve({ exitCode: exitCode ?? -1, stdout, stderr, seconds: (performance.now() - started) / 1000 });
    });
  });
  return {
    finished,
    async said(text) {
      while (!stdout.includes(text) && !stderr.includes(text)) {
        if (over) throw new Error(`it ended without saying "${text}": ${stdout}${stderr}`);
        await delay(50);
      }
    },
  };
}

/** Runs kubectl to its end. Throws when it fails. */
export async function kubectl(cluster: Cluster, args: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await startKubectl(cluster, args, input).finished;
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
  return stdout;
}

/** Looks until it is so; throws after `seconds`. */
export async function until(what: string, seconds: number, look: () => Promise<boolean>): Promise<number> {
  const started = performance.now();
  while (!(await look())) {
    if (performance.now() - started > seconds * 1000) throw new Error(`not so after ${seconds} s: ${what}`);
    await delay(250);
  }
  return (performance.now() - started) / 1000;
}
