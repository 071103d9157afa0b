import { setTimeout as sleep } from "node:timers/promises";

import { orAborted, RunnerError } from "@anyrunner/core";

import { dialCommand, dialForward, ForwardingRefusedError } from "./dial-over-master.ts";
import { hostSettings, type HostSettings } from "./host-settings.ts";
import type { SharedConnection, SshDial } from "./shared-connection.ts";
import { sshError } from "./ssh-error.ts";
import { sameHost, type SshHost } from "./ssh-host.ts";
import { startMaster, type SshMaster, type StartMasterOptions } from "./ssh-master.ts";
import type { SshSettings } from "./ssh-settings.ts";
import type { SshStream } from "./ssh-stream.ts";
import { createTurnstile } from "./turnstile.ts";

export interface SshConnectionsSettings extends SshSettings {
  /** How long a connection that nobody uses is kept, in ms. Default 250. */
  readonly idleMs?: number | undefined;
}

/** One ssh connection for each host, however many streams there are. */
export interface SshConnections {
  /**
   * Asks ssh what it would do, without connecting; a dial that follows at once asks no more. Gives `host:port`. Fails with NOT_FOUND
   * (no ssh), UNSUPPORTED (Windows), INVALID_CONFIG, TIMEOUT, ABORTED.
   */
  check(host: SshHost, options: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  /**
   * Opens a stream, over the connection that is there or a new one. Fails with NOT_FOUND (no ssh; no such socket), AUTH_FAILED
   * (host key), PERMISSION_DENIED, NAME_NOT_RESOLVED, CONNECTION_REFUSED, CONNECTION_LOST, TIMEOUT, INVALID_CONFIG, UNSUPPORTED (Windows), ABORTED.
   */
  dial(host: SshHost, options: SshDial): Promise<SshStream>;
}

const DEFAULT_IDLE_MS = 250;
/** How long what ssh was asked for one dial's sake holds: the configuration may change. */
const ASKED_MS = 2000;
const MOST_LOGINS = 5;
const LOGIN_PAUSE_MS = 500;
/** Half of what may wait for ssh to accept it. */
const MOST_OPENING = 64;

/** Connections are made when they are needed and end soon after their last stream. Making this starts nothing. */
export function createSshConnections(settings: SshConnectionsSettings = {}): SshConnections {
  const { idleMs = DEFAULT_IDLE_MS } = settings;
  const live = new Map<string, SharedConnection>();
  const asked = new Map<string, { readonly found: HostSettings; readonly atMs: number }>();

  /** For one dial: the next asks anew. */
  function takeAsked(key: string): HostSettings | undefined {
    const last = asked.get(key);
    asked.delete(key);
    return last !== undefined && performance.now() - last.atMs < ASKED_MS ? last.found : undefined;
  }

  function shareOf(host: SshHost): SharedConnection {
    const key = sameHost(host);
    const known = live.get(key);
    if (known !== undefined) return known;
    const starting = new AbortController();
    const master = startPatiently(host, settings, { signal: starting.signal, found: takeAsked(key) });
    const shared: SharedConnection = {
      host,
      master,
      starting,
      opening: createTurnstile(MOST_OPENING),
      sessions: createTurnstile(1),
      users: 0,
      commands: 0,
      forwards: true,
    };
    const forget = () => {
      if (live.get(key) === shared) live.delete(key);
    };
    master.then(({ ended }) => ended).then(forget, forget);
    live.set(key, shared);
    return shared;
  }

  function release(shared: SharedConnection): void {
    shared.users--;
    if (shared.users > 0) return;
    const end = () => {
      if (live.get(sameHost(shared.host)) === shared) live.delete(sameHost(shared.host));
      // Ends it while it connects still; afterwards the signal means nothing.
      shared.starting.abort(new RunnerError("ABORTED", "nobody waits for this connection"));
      shared.master.then(
        (master) => master.close(),
        () => {},
      );
    };
    shared.idle = setTimeout(end, idleMs);
  }

  return {
    async check(host, options) {
      requireControlSockets();
      const found = await hostSettings(host, settings, options);
      const { values, result } = found;
      if (result.exitCode !== 0) throw sshError({ host, exitCode: result.exitCode, stderr: result.stderr });
      asked.set(sameHost(host), { found, atMs: performance.now() });
      return `${values.get("hostname") ?? host.host}:${values.get("port") ?? host.port ?? 22}`;
    },
    async dial(host, options) {
      requireControlSockets();
      const shared = shareOf(host);
      clearTimeout(shared.idle);
      shared.users++;
      try {
        const master = await orAborted(shared.master, options.signal);
        const stream = await open(shared, master, options);
        void stream.closed.then(() => release(shared));
        return stream;
      } catch (error) {
        release(shared);
        throw error;
      }
    },
  };
}

/**
 * An sshd to which many connect at once closes some of them before they have logged in (MaxStartups, from ten on, by chance): that is
 * its way to say "not now", and part of connecting.
 */
async function startPatiently(
  host: SshHost,
  settings: SshSettings,
  { signal, found }: StartMasterOptions & { readonly signal: AbortSignal },
): Promise<SshMaster> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startMaster(host, settings, { signal, found });
    } catch (error) {
      if (attempt === MOST_LOGINS || !RunnerError.is(error) || error.code !== "CONNECTION_LOST") throw error;
    }
    await orAborted(sleep(Math.random() * LOGIN_PAUSE_MS * attempt, undefined, { signal }), signal);
  }
}

/** Windows' ssh shares no connection, and a login for each stream is what this is there to avoid. */
function requireControlSockets(): void {
  if (process.platform !== "win32") return;
  throw new RunnerError("UNSUPPORTED", "ssh on Windows can't share a connection among streams", {
    hint: "run anyrunner in WSL, or forward the engine's port yourself and use tcp://",
  });
}

async function open(shared: SharedConnection, master: SshMaster, options: SshDial): Promise<SshStream> {
  if (shared.forwards) {
    try {
      return await dialForward(shared, master, options);
    } catch (error) {
      if (!(error instanceof ForwardingRefusedError)) throw error;
      shared.forwards = false;
    }
  }
  return dialCommand(shared, master, options);
}
