import { randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";

import type { ClientMetadata } from "@anyrunner/protocol";

export interface ClientIdentityOptions {
  readonly clientVersion: string;
  readonly stableId?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly extra?: Partial<ClientMetadata> | undefined;
}

/** Invents the identity of a client and its session (engine protocol 0, 4.5): there is no login, the client names itself. */
export function createClientMetadata(options: ClientIdentityOptions): ClientMetadata {
  return {
    clientId: options.env["DAGGER_SESSION_CLIENT_ID"] || randomWord(),
    clientSecretToken: randomUUID(),
    sessionId: randomWord(),
    clientHostname: hostname(),
    clientVersion: options.clientVersion,
    ...(options.stableId === undefined ? {} : { clientStableId: options.stableId }),
    ...(options.labels === undefined ? {} : { labels: options.labels }),
    ...(options.env["SSH_AUTH_SOCK"] ? { sshAuthSocketPath: options.env["SSH_AUTH_SOCK"] } : {}),
    ...(/^(1|true)$/i.test(options.env["DO_NOT_TRACK"] ?? "") ? { doNotTrack: true } : {}),
    ...options.extra,
  };
}

/** 25 characters of lower-case base 36: the engine uses a client id as a file name. */
function randomWord(): string {
  return BigInt(`0x${randomBytes(17).toString("hex")}`).toString(36).padStart(25, "0").slice(-25);
}
