import { createSecretCache } from "./secret-cache.ts";
import { runSecretProgram } from "./run-secret-program.ts";
import { parseSecretReference, type SecretProvider } from "./secret-provider.ts";

/** `op://vault/item/field`, by 1Password's `op`. Without `ttl` a secret is read once a session. */
export function createOnePasswordProvider(): SecretProvider {
  const cache = createSecretCache<Uint8Array>();
  return (rest, context) => {
    const { ttlMs } = parseSecretReference(rest);
    const reference = `op://${withoutTtl(rest)}`;
    return cache.get(reference, ttlMs, () =>
      runSecretProgram({
        ...context,
        scheme: "op",
        command: "op",
        product: "the 1Password CLI",
        args: ["read", "-n", reference],
      }),
    );
  };
}

/** `op` has parameters of its own, which stay as they were written. */
function withoutTtl(rest: string): string {
  const [path = "", ...query] = rest.split("?");
  const kept = query
    .join("?")
    .split("&")
    .filter((part) => part !== "" && !/^ttl(=|$)/.test(part));
  return kept.length === 0 ? path : `${path}?${kept.join("&")}`;
}
