export interface RegistryAuthOptions {
  /** As the image's name has it. */
  readonly registry: string;
  /** As Docker's configuration gives it: without a user the secret is a token. */
  readonly login: { readonly username: string; readonly secret: string } | undefined;
}

/** The value of `X-Registry-Auth`, base64 for URLs with its padding; `undefined` without a login. */
export function registryAuth({ registry, login }: RegistryAuthOptions): string | undefined {
  if (login === undefined) return undefined;
  const value = login.username === "" ? { identitytoken: login.secret } : { username: login.username, password: login.secret };
  return Buffer.from(JSON.stringify({ ...value, serveraddress: registry }))
    .toString("base64")
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
