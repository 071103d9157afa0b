import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { runProgram } from "@anyrunner/exec";
import { GrpcError, GrpcStatus, Secrets, unaryHandler, type GrpcRoutes } from "@anyrunner/protocol";
import type { AttachableSettings } from "./attachable-settings.ts";
import { diskError } from "./disk-error.ts";
import type { SecretProvider } from "./secret-providers/secret-provider.ts";

/** Secrets by URI (engine protocol 5.5). The values go to the engine and nowhere else: no message quotes one. */
export function secretsRoutes(settings: AttachableSettings): GrpcRoutes {
  const providers = createProviders();
  return {
    [Secrets.getSecret.path]: unaryHandler(Secrets.getSecret, async (request, { signal }) => {
      const { scheme, rest } = parseId(request.id);
      const provider = providers.get(scheme);
      if (provider === undefined) throw unknownScheme(scheme, [...providers.keys()]);
      const data = await provider(rest, { settings, signal });
      settings.onSecret?.(Buffer.from(data).toString("utf8"));
      return { data };
    }),
  };
}

function parseId(id: string): { readonly scheme: string; readonly rest: string } {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(id);
  if (match === null) throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, "a secret is named by a URI such as env://NAME");
  return { scheme: match[1] ?? "", rest: match[2] ?? "" };
}

function unknownScheme(scheme: string, known: readonly string[]): Error {
  const list = known.map((name) => `${name}://`).join(", ");
  return new Error(`secrets of ${scheme}:// are not supported here; supported are ${list}`);
}

/** Those of secret stores load with the first secret of their kind. */
function createProviders(): ReadonlyMap<string, SecretProvider> {
  return new Map([
    ["env", readVariable],
    ["file", readSecretFile],
    ["cmd", runCommand],
    ["op", lazy(async () => (await import("./secret-providers/one-password.ts")).createOnePasswordProvider())],
    ["vault", lazy(async () => (await import("./secret-providers/vault.ts")).createVaultProvider())],
    ["libsecret", lazy(async () => (await import("./secret-providers/libsecret.ts")).createLibsecretProvider())],
    ["aws+sm", lazy(async () => (await import("./secret-providers/aws.ts")).createSecretsManagerProvider())],
    ["aws+ps", lazy(async () => (await import("./secret-providers/aws.ts")).createParameterStoreProvider())],
    ["gcp", lazy(async () => (await import("./secret-providers/google-cloud.ts")).createGoogleCloudProvider())],
  ]);
}

function lazy(load: () => Promise<SecretProvider>): SecretProvider {
  let provider: Promise<SecretProvider> | undefined;
  return async (rest, context) => (await (provider ??= load()))(rest, context);
}

const readVariable: SecretProvider = async (name, { settings }) => {
  const value = settings.env[name];
  if (value !== undefined) return Buffer.from(value);
  // Somebody may have written the value in place of the name, so only its beginning is repeated.
  const shown = name.length >= 4 ? `${name.slice(0, 3)}...` : name;
  throw new Error(`secret env var not found: "${shown}"`);
};

const readSecretFile: SecretProvider = async (path, { settings }) => {
  const home = settings.home ?? homedir();
  const file = path.replace(/^~(?=$|[/\\])/, () => home);
  const full = resolve(settings.cwd, file);
  try {
    return await readFile(full);
  } catch (error) {
    const { syscall = "open" } = error as NodeJS.ErrnoException;
    throw new Error(diskError(`failed to read secret file "${file}"`, syscall, full, error).message, { cause: error });
  }
};

const runCommand: SecretProvider = async (command, { settings: { env, cwd }, signal }) => {
  const [shell, flag] = process.platform === "win32" ? ["cmd.exe", "/C"] : ["sh", "-c"];
  const { exitCode, stdout } = await runProgram({ command: shell, args: [flag, command], env, cwd, signal });
  // Neither the command nor what it printed is repeated: either may hold the secret.
  if (exitCode !== 0) throw new Error(`failed to run the secret command: exit status ${exitCode}`);
  return stdout;
};
