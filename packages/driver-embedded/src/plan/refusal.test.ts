import { expect, test } from "vitest";

import { explainRefusal } from "./refusal.ts";

test.each([
  ['exec: "nope": executable file not found in $PATH: unknown', { kind: "command", stderr: 'exec: "nope": executable file not found in $PATH' }],
  ['exec: "/nope": stat /nope: no such file or directory: unknown', { kind: "command", stderr: "fork/exec /nope: no such file or directory" }],
  ['exec: "/s": permission denied: unknown', { kind: "command", stderr: "fork/exec /s: permission denied" }],
  ['exec: "/bin": is a directory: unknown', { kind: "command", stderr: "fork/exec /bin: permission denied" }],
  ["exec /s: exec format error", { kind: "command", stderr: "fork/exec /s: exec format error" }],
  ["unable to find user eve: no matching entries in passwd file", { kind: "setup", message: "get user: unable to find user eve: no matching entries in passwd file" }],
  ["something else", { kind: "command", stderr: "something else" }],
])("%s", (reason, refusal) => {
  expect(explainRefusal(reason)).toEqual(refusal);
});
