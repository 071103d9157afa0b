import { expect, test } from "vitest";

import { sshError } from "./ssh-error.ts";

test.each<[string, string, boolean, string]>([
  [
    "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key for h has changed and you have requested strict checking.\nHost key verification failed.",
    "AUTH_FAILED",
    false,
    "is not the one that is known",
  ],
  ["No ED25519 host key is known for h and you have requested strict checking.\nHost key verification failed.", "AUTH_FAILED", false, "is not known"],
  ["me@h: Permission denied (publickey,password).", "PERMISSION_DENIED", false, "publickey,password"],
  ["Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures", "PERMISSION_DENIED", false, "too many keys"],
  ["ssh: Could not resolve hostname h: Name or service not known", "NAME_NOT_RESOLVED", false, "no address"],
  ["ssh: connect to host h port 22: Connection refused", "CONNECTION_REFUSED", false, "no ssh server"],
  ["ssh: connect to host h port 22: No route to host", "CONNECTION_REFUSED", false, "no route to host"],
  ["ssh: connect to host h port 22: Connection timed out", "TIMEOUT", true, "does not answer"],
  ["Timeout, server h not responding.", "TIMEOUT", true, "does not answer"],
  ["kex_exchange_identification: read: Connection reset by peer", "CONNECTION_LOST", true, "closed"],
  ["Connection closed by 1.2.3.4 port 22", "CONNECTION_LOST", true, "closed"],
  ["/c: line 1: Bad configuration option: hosst\n/c: terminating, 1 bad configuration options", "INVALID_CONFIG", false, "configuration"],
  ["Bad owner or permissions on /root/.ssh/config", "INVALID_CONFIG", false, "/root/.ssh/config"],
  ["something new", "COMMAND_FAILED", false, "something new"],
  ["", "COMMAND_FAILED", false, "could not connect to me@h:2222"],
])("%s is %s", (stderr, code, retryable, message) => {
  expect(sshError({ host: { host: "h", user: "me", port: 2222 }, exitCode: 255, stderr })).toMatchObject({
    code,
    retryable,
    message: expect.stringContaining(message),
    hint: expect.stringMatching(/./),
    details: { host: "me@h:2222", exitCode: 255 },
  });
});

test("a connection that was made is lost, whatever is said", () => {
  expect(sshError({ host: { host: "h" }, exitCode: 255, stderr: "", established: true })).toMatchObject({ code: "CONNECTION_LOST", retryable: true });
  for (const stderr of ["Connection to 1.2.3.4 closed by remote host.", "Connection reset by 1.2.3.4 port 22", "client_loop: send disconnect: Broken pipe"]) {
    expect(sshError({ host: { host: "h" }, exitCode: 255, stderr, established: true })).toMatchObject({
      code: "CONNECTION_LOST",
      message: `the ssh connection to h ended: ${stderr}`,
      hint: "check whether the host still runs",
    });
  }
  expect(sshError({ host: { host: "h" }, exitCode: 255, stderr: "Timeout, server h not responding.", established: true })).toMatchObject({ code: "TIMEOUT" });
});

test("no ssh at all", () => {
  expect(sshError({ host: { host: "h" }, exitCode: 127, stderr: "sh: 4: ssh: not found" })).toMatchObject({ code: "NOT_FOUND", details: { program: "ssh" } });
});
