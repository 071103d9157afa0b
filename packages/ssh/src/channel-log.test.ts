import { expect, test } from "vitest";

import { createChannelLog, type ChannelVerdict } from "./channel-log.ts";

// As OpenSSH 9.2 writes it.
const listening = "debug1: channels.c:channel_new():503 (pid=22467): channel 0: new mux listener [/x/c] (inactive timeout: 0)";
const requested = (path: string) =>
  `debug1: channels.c:channel_post_port_listener():1902 (pid=22467): Connection to port -2 forwarding to ${path} port -2 requested.`;
const created = (channel: number) =>
  `debug1: channels.c:channel_new():503 (pid=22467): channel ${channel}: new direct-streamlocal@openssh.com [direct-streamlocal@openssh.com] (inactive timeout: 0)`;
const confirmed = (channel: number) =>
  `debug2: channels.c:channel_input_open_confirmation():3518 (pid=22467): channel ${channel}: open confirm rwindow 2097152 rmax 32768`;
const failed = (channel: number) => `channel ${channel}: open failed: connect failed: open failed`;

function start(expected: readonly string[]) {
  const log = createChannelLog();
  const verdicts: (ChannelVerdict | undefined)[] = expected.map(() => undefined);
  const takeBack = expected.map((path, index) => log.expect(path, (verdict) => (verdicts[index] = verdict)));
  return { log, verdicts, takeBack, read: (...lines: readonly string[]) => lines.map((line) => log.readLine(line)) };
}

test("works once ssh has logged that it listens", () => {
  const { log, read } = start([]);
  expect(log.works).toBe(false);
  expect(read("Warning: Permanently added 'h'", listening)).toEqual([false, true]);
  expect(log.works).toBe(true);
});

test("streams are told apart by path and by order, verdicts by channel", () => {
  const { verdicts, read } = start(["/a", "/b", "/a"]);
  read(requested("/b"), created(5), requested("/a"), created(4), requested("/a"), created(9), confirmed(9), failed(4));
  expect(verdicts).toEqual([{ opened: false, reason: "connect failed: open failed" }, undefined, { opened: true }]);
  read(confirmed(5));
  expect(verdicts[1]).toEqual({ opened: true });
});

test("the number of a channel is used again", () => {
  const { verdicts, read } = start(["/a", "/a"]);
  read(requested("/a"), created(1), failed(1), requested("/a"), created(1), confirmed(1));
  expect(verdicts).toEqual([{ opened: false, reason: "connect failed: open failed" }, { opened: true }]);
});

test("a stream that never connected takes no other's place", () => {
  const { verdicts, takeBack, read } = start(["/a", "/a"]);
  takeBack[0]?.();
  read(requested("/a"), created(1), confirmed(1));
  expect(verdicts).toEqual([undefined, { opened: true }]);
});

test("a session has its verdict, too", () => {
  const { log, read } = start([]);
  const verdicts: ChannelVerdict[] = [];
  log.expectSession((verdict) => verdicts.push(verdict));
  const session = "debug1: channels.c:channel_new():503 (pid=1): channel 4: new session [client-session] (inactive timeout: 0)";
  read(session, confirmed(4), session, confirmed(4));
  expect(verdicts).toEqual([{ opened: true }]);
});

test("sessions and control connections are nobody's streams", () => {
  const { verdicts, read } = start(["/a"]);
  read("debug1: channels.c:channel_new():503 (pid=1): channel 4: new session [client-session] (inactive timeout: 0)", confirmed(4));
  expect(verdicts).toEqual([undefined]);
});
