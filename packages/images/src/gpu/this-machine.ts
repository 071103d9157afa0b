import { open, readdir } from "node:fs/promises";

import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core";
import { parseDockerHost, type DockerClient } from "@anyrunner/docker-endpoint";

import type { GpuDaemon, GpuDaemonInfo } from "./daemon-gpu-check.ts";
import type { GpuReaders } from "./probe-gpu.ts";

const READ_LIMIT_BYTES = 64 * 1024;
const BUDGET_MS = 10_000;

/** Readers for the machine that this runs on. Without a client no daemon is asked. */
export function gpuReaders({
  client,
  env,
}: {
  readonly client?: DockerClient | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}): GpuReaders {
  return {
    readText,
    list: (folder) => readdir(folder).catch(() => []),
    run: (command, args, options) => run(command, args, env, options),
    daemon: async (options) => (client === undefined ? undefined : askDaemon(client, options)),
  };
}

async function readText(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  try {
    const { bytesRead, buffer } = (await file?.read({ buffer: Buffer.alloc(READ_LIMIT_BYTES) })) ?? { bytesRead: 0, buffer: Buffer.alloc(0) };
    return file && buffer.subarray(0, bytesRead).toString("utf8");
  } catch {
    return undefined;
  } finally {
    await file?.close();
  }
}

async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  { signal }: CallOptions,
): Promise<{ readonly exitCode: number; readonly output: string } | undefined> {
  const { runProgram } = await import("@anyrunner/exec");
  try {
    const { exitCode, stdout, stderr } = await runProgram({ command, args, env, signal, timeoutMs: BUDGET_MS });
    return { exitCode, output: stdout.length === 0 ? stderr : stdout.toString("utf8") };
  } catch (error) {
    throwIfAborted(signal);
    if (RunnerError.is(error) && error.code === "NOT_FOUND") return undefined;
    return { exitCode: 1, output: error instanceof Error ? error.message : String(error) };
  }
}

async function askDaemon(client: DockerClient, { signal }: CallOptions): Promise<GpuDaemon | undefined> {
  const budget = AbortSignal.any([AbortSignal.timeout(BUDGET_MS), ...(signal === undefined ? [] : [signal])]);
  try {
    const [info, version] = await Promise.all([
      client.json<GpuDaemonInfo>({ path: "/info", signal: budget }),
      client.json<{ readonly Components?: readonly { readonly Name?: string }[] | null }>({ path: "/version", signal: budget }),
    ]);
    const isPodman = (version.Components ?? []).some(({ Name }) => /podman/i.test(Name ?? ""));
    return { isPodman, isLocal: parseDockerHost(client.endpoint.host).kind === "unix", info };
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
