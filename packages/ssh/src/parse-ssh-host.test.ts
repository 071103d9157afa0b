import { expect, test } from "vitest";

import { parseSshHost } from "./parse-ssh-host.ts";

test.each([
  ["build", { host: "build" }],
  ["me@build.example:2222", { host: "build.example", user: "me", port: 2222 }],
  ["DOMAIN\\me@build", { host: "build", user: "DOMAIN\\me" }],
  ["me@[fe80::1%eth0]:22", { host: "fe80::1%eth0", user: "me", port: 22 }],
])("%s", (text, host) => expect(parseSshHost(text)).toEqual(host));

test.each([
  ["", "it names no host"],
  ["me@", "it names no host"],
  ["me:secret@build", "it has a password"],
  ["-oProxyCommand=x", '"-oProxyCommand=x" is no host name'],
  ["-l@build", "what stands before the @ is no user name"],
  ["build:0", '"0" is no port'],
  ["fe80::1", '":1" is no port'],
])("%s is refused", (text, problem) => expect(parseSshHost(text)).toMatchObject({ problem, hint: expect.stringMatching(/./) }));
