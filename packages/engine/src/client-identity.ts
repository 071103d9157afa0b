import { randomBytes, randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { homedir, hostname } from "node:os";

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
    // Never left out: engine 0.14 writes into them.
    labels: options.labels ?? {},
    ...agentSocket(options.env["SSH_AUTH_SOCK"]),
    ...allowedModules(options.env["DAGGER_ALLOW_LLM"]),
    ...(/^(1|true)$/i.test(options.env["DO_NOT_TRACK"] ?? "") ? { doNotTrack: true } : {}),
    ...options.extra,
  };
}

/** Modules from elsewhere that may use a language model without a question; `all` is a word of its own. */
function allowedModules(variable: string | undefined): Pick<ClientMetadata, "allowedLlmModules"> {
  return variable ? { allowedLlmModules: variable.split(",") } : {};
}

/** The agent, if there is one: a variable that points nowhere would fail pipelines that need no agent at all. */
function agentSocket(variable: string | undefined): Pick<ClientMetadata, "sshAuthSocketPath"> {
  if (!variable) return {};
  const path = variable.replace(/^~(?=$|[/\\])/, homedir);
  // The agent of Windows is a named pipe, of which nothing can be asked without opening it.
  return process.platform === "win32" || isSocket(path) ? { sshAuthSocketPath: path } : {};
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
}

/** 25 characters of lower-case base 36: the engine uses a client id as a file name. */
function randomWord(): string {
  return BigInt(`0x${randomBytes(17).toString("hex")}`)
    .toString(36)
    .padStart(25, "0")
    .slice(-25);
}
