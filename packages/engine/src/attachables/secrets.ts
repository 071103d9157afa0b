import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { runProgram } from "@anyrunner/exec";
import { GrpcError, GrpcStatus, Secrets, unaryHandler, type GrpcRoutes } from "@anyrunner/protocol";
import type { AttachableSettings } from "./attachable-settings.ts";
import { diskError } from "./disk-error.ts";

type Provider = (rest: string, settings: AttachableSettings, signal: AbortSignal) => Promise<Uint8Array>;

/** Secrets by URI (engine protocol 5.5). The values go to the engine and nowhere else: no message quotes one. */
export function secretsRoutes(settings: AttachableSettings): GrpcRoutes {
  return {
    [Secrets.getSecret.path]: unaryHandler(Secrets.getSecret, async (request, call) => ({ data: await readSecret(request.id, settings, call.signal) })),
  };
}

async function readSecret(id: string, settings: AttachableSettings, signal: AbortSignal): Promise<Uint8Array> {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(id);
  if (match === null) throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, "a secret is named by a URI such as env://NAME");
  const [, scheme, rest] = match as unknown as [string, string, string];
  const provider = PROVIDERS.get(scheme);
  if (provider === undefined) {
    const known = [...PROVIDERS.keys()].map((name) => `${name}://`).join(", ");
    throw new GrpcError(GrpcStatus.UNIMPLEMENTED, `secrets of ${scheme}:// are not supported here; supported are ${known}`);
  }
  return provider(rest, settings, signal);
}

const readVariable: Provider = async (name, { env }) => {
  const value = env[name];
  if (value !== undefined) return Buffer.from(value);
  // Somebody may have written the value in place of the name, so only its beginning is repeated.
  const shown = name.length >= 4 ? `${name.slice(0, 3)}...` : name;
  throw new GrpcError(GrpcStatus.NOT_FOUND, `secret env var not found: "${shown}"`);
};

const readSecretFile: Provider = async (path, settings) => {
  const home = settings.home ?? homedir();
  const full = resolve(
    settings.cwd,
    path.replace(/^~(?=$|[/\\])/, () => home),
  );
  try {
    return await readFile(full);
  } catch (error) {
    throw diskError(`failed to read secret file "${path}"`, "open", full, error);
  }
};

const runCommand: Provider = async (command, { env, cwd }, signal) => {
  const [shell, flag] = process.platform === "win32" ? ["cmd.exe", "/C"] : ["sh", "-c"];
  const { exitCode, stdout } = await runProgram({ command: shell, args: [flag, command], env, cwd, signal });
  // Neither the command nor what it printed is repeated: either may hold the secret.
  if (exitCode !== 0) throw new Error(`failed to run the secret command: exit status ${exitCode}`);
  return stdout;
};

const PROVIDERS: ReadonlyMap<string, Provider> = new Map([
  ["env", readVariable],
  ["file", readSecretFile],
  ["cmd", runCommand],
]);
