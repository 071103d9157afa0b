import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { RunnerError } from "@anyrunner/core/driver";
import { runProgram, type ProgramResult } from "@anyrunner/exec";
import type { ImageStore } from "@anyrunner/testkit";
import { vi } from "vitest";

/** Why tests with the real Podman don't run; `undefined`: they run, and fail where there is none. */
export const skipReason = process.env["ANYRUNNER_TEST_PODMAN"] === "skip" ? "ANYRUNNER_TEST_PODMAN=skip" : undefined;

/** The environment in which Podman works here. */
export const podmanEnv: Readonly<Record<string, string | undefined>> = { ...process.env, ...bareMachine() };

function bareMachine(): { readonly CONTAINERS_CONF?: string } {
  if (skipReason !== undefined || existsSync("/run/systemd/system")) return {};
  return { CONTAINERS_CONF: join(import.meta.dirname, "bare-machine.fixture.conf") };
}

/** Runs a podman command; one that fails throws what it said. */
export async function podman(args: readonly string[], options: { readonly input?: Buffer } = {}): Promise<string> {
  const result = await tryPodman(args, options);
  if (result.exitCode !== 0) throw new Error(`podman ${args[0]} failed: ${result.stderr}`);
  return result.stdout.toString("utf8").trim();
}

/** Name and version, for reports. */
export async function podmanVersion(): Promise<string> {
  return `Podman ${await podman(["version", "--format", "{{.Client.Version}}"])}`;
}

export async function tryPodman(args: readonly string[], options: { readonly input?: Buffer } = {}): Promise<ProgramResult> {
  try {
    return await runProgram({ command: "podman", args, env: podmanEnv, ...options });
  } catch (error) {
    if (!RunnerError.is(error) || error.code !== "NOT_FOUND") throw error;
    throw new Error("these tests need Podman: apt-get install podman netavark (or ANYRUNNER_TEST_PODMAN=skip)", { cause: error });
  }
}

export const podmanImages: ImageStore = {
  has: async (reference) => (await tryPodman(["image", "inspect", reference])).exitCode === 0,
  async add(reference, archive, changes) {
    await podman(["import", "--quiet", ...changes.flatMap((change) => ["--change", change]), "-", reference], { input: archive });
  },
};

/** A container, or a name for one that a driver will make; taken away in the end with its volume. */
export interface TestSite extends AsyncDisposable {
  readonly name: string;
  kill(): Promise<void>;
  /** Programs in it beside its own command. */
  leftovers(): Promise<number>;
  remove(): Promise<void>;
}

export function createSite(name = `anyrunner-test-${randomUUID().slice(0, 8)}`): TestSite {
  const remove = async () => {
    // Podman refuses where another of its processes is at work on the container.
    await vi.waitFor(() => podman(["rm", "--force", "--time", "0", "--volumes", name]), { timeout: 60_000, interval: 200 });
    await tryPodman(["volume", "rm", name]);
  };
  return {
    name,
    async kill() {
      await tryPodman(["kill", name]);
    },
    leftovers: () => countLeftovers(name),
    remove,
    [Symbol.asyncDispose]: remove,
  };
}

/** Runs a container beside any driver. */
export async function runSite(args: readonly string[]): Promise<TestSite> {
  const site = createSite();
  await podman(["run", "--detach", "--name", site.name, "--network", "none", "--pull", "never", ...args]);
  return site;
}

async function countLeftovers(name: string): Promise<number> {
  const { exitCode, stdout } = await tryPodman(["top", name, "args"]);
  if (exitCode !== 0) return 0;
  const programs = stdout.toString("utf8").trim().split("\n").slice(1);
  return programs.filter((text) => !/wait-for-stop|^sleep 3600/.test(text)).length;
}
