import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import type { EngineSession } from "@anyrunner/engine";

export interface OfficialSession extends Pick<EngineSession, "query" | "close"> {
  /** Of the program that holds the session. */
  readonly pid: number;
}

/** A session of the official CLI on the runner, for comparison. */
export async function openOfficialSession(program: string, runnerUrl: string, cwd: string): Promise<OfficialSession> {
  const env = { ...process.env, _EXPERIMENTAL_DAGGER_RUNNER_HOST: runnerUrl, DAGGER_NO_NAG: "1", DO_NOT_TRACK: "1" };
  const child = spawn(program, ["session"], { cwd, env, stdio: ["pipe", "pipe", "ignore"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { port, session_token: token } = JSON.parse(line) as { readonly port: number; readonly session_token: string };
  const headers = { "content-type": "application/json", authorization: `Basic ${btoa(`${token}:`)}` };
  return {
    pid: child.pid as number,
    async query({ query }) {
      const answer = await fetch(`http://127.0.0.1:${port}/query`, { method: "POST", headers, body: JSON.stringify({ query }) });
      return (await answer.json()) as Awaited<ReturnType<EngineSession["query"]>>;
    },
    async close() {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}
