import { createSecretCache } from "./secret-cache.ts";
import { askSecretProgram, runSecretProgram } from "./run-secret-program.ts";
import { invalidReference, parseSecretReference, type SecretContext, type SecretProvider } from "./secret-provider.ts";

const VAULT = { scheme: "vault", command: "vault", product: "HashiCorp's vault" } as const;

interface VaultAnswer {
  readonly data?: { readonly data?: Readonly<Record<string, unknown>> };
}

/**
 * `vault://path.field` of a KV store of version 2, mounted at `VAULT_PATH_PREFIX` (default `secret`), by HashiCorp's `vault`: with its own
 * login or `VAULT_TOKEN`, or with an AppRole (`VAULT_APPROLE_ROLE_ID`, `_SECRET_ID`, `_MOUNT_PATH`). Without `ttl` a path is read once
 * a session.
 */
export function createVaultProvider(): SecretProvider {
  const paths = createSecretCache<Readonly<Record<string, unknown>>>();
  const tokens = createSecretCache<string>();
  return async (rest, context) => {
    const { path: key, ttlMs } = parseSecretReference(rest);
    const [, path, field] = /^([^.-][^.]*)\.([^.]+)$/.exec(key) ?? [];
    if (path === undefined || field === undefined) throw invalidReference("has to be a path and a field, such as vault://path/to/secret.field");
    const fields = await paths.get(path, ttlMs, async () => {
      const { env } = context.settings;
      const token = env["VAULT_APPROLE_ROLE_ID"] ? await tokens.get("", undefined, () => logIn(context)) : undefined;
      return readPath(path, token, context);
    });
    const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (value === undefined || value === null) throw new Error(`secret "${field}" not found in path "${path}"`);
    if (typeof value !== "string") throw new Error(`secret "${field}" in path "${path}" is not a string`);
    return Buffer.from(value);
  };
}

/** The role goes through standard input: it must not be seen among the arguments. */
async function logIn(context: SecretContext): Promise<string> {
  const { env } = context.settings;
  const mount = env["VAULT_APPROLE_MOUNT_PATH"] || "approle";
  const input = JSON.stringify({ role_id: env["VAULT_APPROLE_ROLE_ID"], secret_id: env["VAULT_APPROLE_SECRET_ID"] });
  const stdout = await runSecretProgram({ ...context, ...VAULT, args: ["write", "-field=token", `auth/${mount}/login`, "-"], input });
  return stdout.toString("utf8").trim();
}

async function readPath(path: string, token: string | undefined, context: SecretContext): Promise<Readonly<Record<string, unknown>>> {
  const mount = context.settings.env["VAULT_PATH_PREFIX"] || "secret";
  const { data } = await askSecretProgram<VaultAnswer>({
    ...context,
    ...VAULT,
    args: ["kv", "get", "-format=json", `-mount=${mount}`, path],
    env: token === undefined ? undefined : { VAULT_TOKEN: token },
  });
  return data?.data ?? {};
}
