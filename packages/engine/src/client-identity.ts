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
    client_id: options.env["DAGGER_SESSION_CLIENT_ID"] || randomWord(),
    client_secret_token: randomUUID(),
    session_id: randomWord(),
    client_hostname: hostname(),
    client_version: options.clientVersion,
    ...(options.stableId === undefined ? {} : { client_stable_id: options.stableId }),
    ...(options.labels === undefined ? {} : { labels: options.labels }),
    ...(options.env["SSH_AUTH_SOCK"] ? { ssh_auth_socket_path: options.env["SSH_AUTH_SOCK"] } : {}),
    ...(/^(1|true)$/i.test(options.env["DO_NOT_TRACK"] ?? "") ? { do_not_track: true } : {}),
    ...options.extra,
  };
}

/** 25 characters of lower-case base 36: the engine uses a client id as a file name. */
function randomWord(): string {
  return BigInt(`0x${randomBytes(17).toString("hex")}`).toString(36).padStart(25, "0").slice(-25);
}
