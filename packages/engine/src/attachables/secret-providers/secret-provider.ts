import { GrpcError, GrpcStatus } from "@anyrunner/protocol";
import type { AttachableSettings } from "../attachable-settings.ts";
import { parseTtl } from "./ttl.ts";

/**
 * Gives the secret that stands behind `scheme://rest`. Never fails with NOT_FOUND or UNIMPLEMENTED: engines before 0.21 replace the message
 * of those by the secret's whole name.
 */
export type SecretProvider = (rest: string, context: SecretContext) => Promise<Uint8Array>;

export interface SecretContext {
  readonly settings: AttachableSettings;
  readonly signal: AbortSignal;
}

/** A reference taken apart: the path, decoded, and the parameters behind it. */
export interface SecretReference {
  readonly path: string;
  readonly query: URLSearchParams;
  /** `ttl` of the query in ms; undefined when the secret may be kept for the session. */
  readonly ttlMs: number | undefined;
}

/** Splits what follows `scheme://`. Fails with INVALID_ARGUMENT. */
export function parseSecretReference(rest: string): SecretReference {
  const [path = "", ...query] = rest.split("?");
  const parameters = new URLSearchParams(query.join("?"));
  return { path: decodePath(path), query: parameters, ttlMs: parseTtl(parameters.get("ttl")) };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalidReference("has a bad escape in its path");
  }
}

/** The reference itself is wrong. What it says is not repeated: somebody may have written the value in its place. */
export function invalidReference(reason: string): GrpcError {
  return new GrpcError(GrpcStatus.INVALID_ARGUMENT, `the secret's reference ${reason}`);
}
