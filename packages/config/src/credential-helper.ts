import { RunnerError, type Reporter } from "@anyrunner/core";

import type { RegistryCredentials } from "./docker-config.ts";
import type { Environment } from "./user-folders.ts";

export interface AskHelperOptions {
  /** Short name: `desktop` means the program `docker-credential-desktop`. */
  readonly helper: string;
  /** The key under which the registry's login was stored. */
  readonly server: string;
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
  readonly report?: Reporter | undefined;
}

const BUDGET_MS = 30_000;
/** The user name by which helpers mark an identity token. */
const TOKEN_USER = "<token>";

/**
 * Asks a Docker credential helper. `undefined` when it knows nothing, and also, with a warning, when it is missing, made for
 * another system or broken: a public image must not fail because of it. Fails only with ABORTED.
 */
export async function askCredentialHelper({ helper, server, env, signal, report }: AskHelperOptions): Promise<RegistryCredentials | undefined> {
  const command = `docker-credential-${helper}`;
  const warn = (what: string) => {
    report?.({
      type: "warning",
      id: `credential-helper-${helper}`,
      message: `${command} ${what}; going on without its login for ${server}`,
      hint: "install it, or remove it from Docker's config.json",
    });
    return undefined;
  };
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) return warn("is no valid name of a helper");
  // Loaded here, since most registries need no helper and the module is not free.
  const { runProgram } = await import("@anyrunner/exec");
  try {
    const { exitCode, stdout } = await runProgram({
      command,
      args: ["get"],
      input: server,
      env,
      signal,
      timeoutMs: BUDGET_MS,
      maxOutputBytes: 1024 * 1024,
      terminal: true,
    });
    const output = stdout.toString("utf8");
    if (exitCode !== 0) return /credentials not found|no credentials server URL/i.test(output) ? undefined : warn(`ended with exit code ${exitCode}`);
    return parseHelperAnswer(output) ?? warn("gave no usable answer");
  } catch (error) {
    if (!RunnerError.is(error) || error.code === "ABORTED") throw error;
    if (error.code === "NOT_FOUND") return warn("is not installed");
    return warn(error.code === "TIMEOUT" ? "did not answer" : "can't be run here");
  }
}

/** The `get` answer of the helper protocol: JSON with Username and Secret. */
export function parseHelperAnswer(output: string): RegistryCredentials | undefined {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { Username: username, Secret: secret } = value as { readonly Username?: unknown; readonly Secret?: unknown };
  if (typeof username !== "string" || typeof secret !== "string") return undefined;
  return { username: username === TOKEN_USER ? "" : username, secret };
}
