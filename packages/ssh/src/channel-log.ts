/**
 * What became of streams that were handed to ssh. A socket that ssh forwards accepts at once, whatever the host says later; only
 * ssh's own log tells. LogVerbose (OpenSSH 8.5 and newer) lets it log just three functions, once or twice for each stream.
 */
export const CHANNEL_LOG_OPTION =
  "LogVerbose=" + ["channel_post_port_listener", "channel_new", "channel_input_open_confirmation"].map((name) => `channels.c:${name}():*`).join();

export type ChannelVerdict =
  | { readonly opened: true }
  /** In the server's words: `connect failed: open failed`, `administratively prohibited: open failed`. */
  | { readonly opened: false; readonly reason: string };

export interface ChannelLog {
  /** Whether the log works at all; known as soon as ssh listens. */
  readonly works: boolean;
  /** Takes a line of ssh's standard error; false when it is none of the log's own. */
  readLine(line: string): boolean;
  /**
   * Announces a stream to `remotePath`, in the order in which the streams connect to one forwarded socket. Returns what takes the
   * announcement back, for a stream that never connected.
   */
  expect(remotePath: string, settle: (verdict: ChannelVerdict) => void): () => void;
  /** The same for the next session; only one may be on its way at a time. */
  expectSession(settle: (verdict: ChannelVerdict) => void): () => void;
}

const LOGGED = /channels\.c:\w+\(\):\d+/;
const REQUESTED = /forwarding to (.+) port -?\d+ requested/;
const NEW_STREAM = /channel (\d+): new direct-streamlocal/;
const NEW_SESSION = /channel (\d+): new session/;
const CONFIRMED = /channel (\d+): open confirm/;
const FAILED = /^channel (\d+): open failed: (.*)$/;

export function createChannelLog(): ChannelLog {
  const waiting = new Map<string, ((verdict: ChannelVerdict) => void)[]>();
  const opening = new Map<string, (verdict: ChannelVerdict) => void>();
  let works = false;
  let requestedPath: string | undefined;
  let nextSession: ((verdict: ChannelVerdict) => void) | undefined;

  const settle = (channel: string, verdict: ChannelVerdict) => {
    const waiter = opening.get(channel);
    opening.delete(channel);
    waiter?.(verdict);
  };
  return {
    get works() {
      return works;
    },
    readLine(line) {
      const failed = FAILED.exec(line);
      if (failed !== null) {
        settle(failed[1] as string, { opened: false, reason: failed[2] as string });
        return true;
      }
      if (!LOGGED.test(line)) return false;
      works = true;
      requestedPath = REQUESTED.exec(line)?.[1] ?? requestedPath;
      const created = NEW_STREAM.exec(line)?.[1];
      if (created !== undefined && requestedPath !== undefined) {
        const waiter = waiting.get(requestedPath)?.shift();
        if (waiter !== undefined) opening.set(created, waiter);
        requestedPath = undefined;
      }
      const session = NEW_SESSION.exec(line)?.[1];
      if (session !== undefined && nextSession !== undefined) {
        opening.set(session, nextSession);
        nextSession = undefined;
      }
      const confirmed = CONFIRMED.exec(line)?.[1];
      if (confirmed !== undefined) settle(confirmed, { opened: true });
      return true;
    },
    expect(remotePath, waiter) {
      const queue = waiting.get(remotePath) ?? [];
      waiting.set(remotePath, queue);
      queue.push(waiter);
      return () => {
        const index = queue.indexOf(waiter);
        if (index >= 0) queue.splice(index, 1);
      };
    },
    expectSession(waiter) {
      nextSession = waiter;
      return () => {
        if (nextSession === waiter) nextSession = undefined;
      };
    },
  };
}
