import { expect, test } from "vitest";

import { explainStartFailure } from "./start-failure.ts";

/** Last lines of engine 0.21.8, but for those that only other machines can make it write. */
test.each([
  ["could not lock /var/lib/dagger/dagger-engine.lock, another instance running?", "lock", "ALREADY_EXISTS"],
  ["dagger-engine: install resolv.conf: remount /etc/resolv.conf to upstream alias: operation not permitted", "privileges", "PERMISSION_DENIED"],
  ['dagger-engine: failed to parse config: json: unknown field "nonsense"', "configuration", "INVALID_CONFIG"],
  ["dagger-engine: failed to create engine: … migrate persistence schema: database or disk is full (13)", "disk", "NOT_AVAILABLE"],
  ["mkdir /var/lib/dagger/worker: no space left on device", "disk", "NOT_AVAILABLE"],
  ["dagger-engine: listen tcp 0.0.0.0:1234: bind: address already in use", "port", "ALREADY_EXISTS"],
  ["iptables v1.8.10 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)", "nat", "NOT_AVAILABLE"],
  ["mkdir: cannot create directory '/sys/fs/cgroup/init': cgroup: Read-only file system", "cgroups", "NOT_AVAILABLE"],
  ["failed to mount overlay: invalid argument", "state-folder", "NOT_AVAILABLE"],
  ["exec /usr/local/bin/dagger-entrypoint.sh: exec format error", "image", "UNSUPPORTED"],
  ["flag provided but not defined: -debugaddr", "image", "UNSUPPORTED"],
])("%s", (line, requirement, code) => {
  expect(explainStartFailure(`ulimit: error setting limit (Operation not permitted)\n${line}\n`)).toMatchObject({
    requirement,
    code,
    remedy: expect.stringMatching(/./),
  });
});

test("what every engine says in an unprivileged start is no reason", () => {
  expect(explainStartFailure("cannot increase open FDs with ulimit, ignoring\nulimit: error setting limit (Operation not permitted)\n")).toBeUndefined();
});
