import { RunnerError, throwIfAborted, unavailable, type RunnerConnection, type RunnerDriver, type RunnerHandle } from "@anyrunner/core/driver";
import { createSshConnections, formatSshHost, type SshConnections } from "@anyrunner/ssh";

import { DEFAULT_SOCKET, parseSshTarget, SSH_OPTIONS, type SshAddress, type SshTarget } from "./target.ts";

/** What a user of the driver sets once. */
export interface SshDriverSettings {
  /** Read instead of the user's and the system's ssh configuration. Default: those. */
  readonly configFile?: string | undefined;
  /** The environment of ssh: SSH_AUTH_SOCK and the like. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** How long connecting and logging in may take, in ms. Default 20,000. */
  readonly connectBudgetMs?: number | undefined;
  /** How long a connection that no stream uses is kept, in ms. Default 250. */
  readonly idleMs?: number | undefined;
}

/** A socket on a remote machine. */
export interface SshHandle extends RunnerHandle {
  readonly driver: "ssh";
  readonly endpoint: SshAddress;
}

/**
 * A driver for engines on hosts that the system's ssh reaches: one ssh connection for each host, whatever the number of streams.
 * It creates nothing and owns nothing.
 */
export function createSshDriver(settings: SshDriverSettings = {}): RunnerDriver<SshTarget, SshHandle> {
  const connections = createSshConnections(settings);
  return {
    specVersion: 1,
    name: "ssh",
    schemes: ["ssh"],
    capabilities: ["half-close"],
    options: SSH_OPTIONS,
    parse: parseSshTarget,
    async probe(target, { signal }) {
      throwIfAborted(signal);
      try {
        return { available: true, detail: `ssh goes to ${await connections.check(target.address.host, { signal })}` };
      } catch (error) {
        throwIfAborted(signal);
        const failure = namedAfterDriver(error);
        if (!RunnerError.is(failure)) throw failure;
        return unavailable(failure);
      }
    },
    async provision({ address }, { signal }) {
      throwIfAborted(signal);
      const id = `ssh://${formatSshHost(address.host)}${address.socket ?? DEFAULT_SOCKET}`;
      return { driver: "ssh", id, endpoint: address, owned: false, labels: {} };
    },
    connect: ({ endpoint }, { signal }) => connectSsh(connections, endpoint, signal),
  };
}

/** The driver with its defaults: what a registry loads. */
export const driver: RunnerDriver<SshTarget, SshHandle> = createSshDriver();

async function connectSsh(connections: SshConnections, { host, socket }: SshAddress, signal: AbortSignal | undefined): Promise<RunnerConnection> {
  throwIfAborted(signal);
  const { stream, closed, diagnostics } = await connections
    .dial(host, { remotePath: socket ?? DEFAULT_SOCKET, relayCommand: relayCommand(socket), signal })
    .catch((error: unknown) => {
      throw namedAfterDriver(error);
    });
  return { stream, kind: "relay", halfClose: true, closed, diagnostics: () => diagnostics() };
}

/** What engine images have for streams over an exec; without an address it knows its own engine's (engine protocol 2.1, 2.3). */
function relayCommand(socket: string | undefined): string {
  if (socket === undefined) return "buildctl dial-stdio";
  const address = `unix://${socket}`.replaceAll("'", String.raw`'\''`);
  return `buildctl --addr '${address}' dial-stdio`;
}

function namedAfterDriver(error: unknown): unknown {
  if (!RunnerError.is(error) || error.code === "ABORTED") return error;
  const { code, message, hint, cause, details, retryable } = error;
  if (details?.["program"] === "ssh") {
    const missing = 'ssh is not installed: there is no program "ssh" on PATH';
    return new RunnerError("NOT_AVAILABLE", missing, { hint: "install OpenSSH's client, or put it on PATH", cause: error, details, driver: "ssh" });
  }
  return new RunnerError(code, message, { hint, cause, details, retryable, driver: "ssh" });
}
