import { createHmac } from "node:crypto";

import type { Lazy } from "../plan/call.ts";

/** What a Secret of the API is. The value is fetched at every use and kept nowhere. */
export interface SecretData {
  /** "" for secrets by URI. */
  readonly name: string;
  readonly uri: string;
  readonly value: Lazy<Uint8Array>;
  /** What stands for it in cache keys. */
  readonly identity: Lazy<string>;
}

/** Stands for a value in cache keys without telling it: only who has the local key can compare. */
export function maskedIdentity(value: Uint8Array, localKey: Uint8Array): string {
  return createHmac("sha256", localKey).update(value).digest("hex");
}
