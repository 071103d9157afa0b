import { expect, test } from "vitest";

import { stepOutcome } from "./step-outcome.ts";
import type { HolderReply } from "./holder/channel.ts";

const STEP = { args: ["nope"], user: "bob:grp", workingDir: "/w" };

test.each<[HolderReply, number, string | undefined]>([
  [{ kind: "exited", exitCode: 7 }, 7, undefined],
  [{ kind: "killed", signal: 9 }, 137, undefined],
  [{ kind: "not-started", errno: 2 }, 1, 'exec: "nope": executable file not found in $PATH'],
  [{ kind: "not-started", errno: 13 }, 1, 'exec: "nope": permission denied'],
  [{ kind: "not-started", errno: 8 }, 1, 'exec: "nope": exec format error'],
  [{ kind: "no-user", reason: "passwd file" }, -1, "get user: unable to find user bob: invalid argument"],
  [{ kind: "no-user", reason: "user" }, -1, "get user: unable to find user bob: no matching entries in passwd file"],
  [{ kind: "no-user", reason: "group file" }, -1, "get user: unable to find groups for spec bob: invalid argument"],
  [{ kind: "no-user", reason: "group" }, -1, "get user: no matching entries in group file"],
  [{ kind: "no-workdir", errno: 20 }, -1, 'chdir to cwd ("/w"): not a directory'],
  [{ kind: "no-resources", errno: 999 }, -1, "start the process: errno 999"],
])("%j", (reply, exitCode, message) => {
  const outcome = stepOutcome(reply, STEP);
  expect(outcome.exitCode).toBe(exitCode);
  expect(outcome.failure?.message).toBe(message);
});

test("a path that is not there is told as the engine tells it", () => {
  const outcome = stepOutcome({ kind: "not-started", errno: 2 }, { ...STEP, args: ["/bin/nope"] });
  expect(outcome.failure?.message).toBe("fork/exec /bin/nope: no such file or directory");
});
