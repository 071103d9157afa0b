import { randomBytes, createHash } from "node:crypto";

import { RunnerError } from "@anyrunner/core/driver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Segment } from "./executor.ts";
import { createTestExecutor, run, SKIP_DOCKER, type TestExecutor } from "./test-executor.ts";

describe.skipIf(SKIP_DOCKER)("steps of a segment on a real daemon", () => {
  let world: TestExecutor;
  let segment: Segment;

  beforeAll(async () => {
    world = await createTestExecutor();
    segment = await world.open();
  });
  afterAll(async () => {
    await world.close();
  });

  test("exit code and both streams come apart", async () => {
    expect(await run(segment, "echo out; echo err >&2; exit 7")).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
  });

  test("the environment is what the step says, and HOME", async () => {
    const { stdout } = await run(segment, ["busybox", "env"], { env: ["PATH=/bin", "A=1 2", "SECRET=x"] });
    expect(stdout.split("\n").toSorted()).toEqual(["", "A=1 2", "HOME=/root", "PATH=/bin", "SECRET=x"]);
  });

  test("neither environment nor command of a step is in what the daemon knows", async () => {
    await run(segment, ["true"], { env: ["SECRET=hidden-value"], stdin: Buffer.from("hidden-input") });
    const [id] = await world.containers();
    const known = JSON.stringify(await world.client.json({ path: `/containers/${id}/json` }));
    expect(known).not.toMatch(/hidden-value|hidden-input/);
  });

  test("a missing working directory is made and stays", async () => {
    expect(await run(segment, "pwd", { workingDir: "/made/deep" })).toMatchObject({ stdout: "/made/deep\n" });
    expect(await run(segment, "test -d /made/deep")).toMatchObject({ exitCode: 0 });
    expect(await run(segment, "pwd", { workingDir: "/bin/busybox/x" })).toMatchObject({ exitCode: -1, failure: { kind: "workdir" } });
  });

  test("standard input is given whole, or empty", async () => {
    const data = randomBytes(300_000);
    const { stdout } = await run(segment, ["busybox", "sha256sum"], { stdin: data });
    expect(stdout.split(" ")[0]).toBe(createHash("sha256").update(data).digest("hex"));
    expect(await run(segment, ["cat"])).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("a command that is not there is the engine's error, and the segment goes on", async () => {
    const message = 'exec: "nope": executable file not found in $PATH';
    expect(await run(segment, ["nope"])).toEqual({ exitCode: 1, failure: { kind: "command", message }, stdout: "", stderr: `${message}\n` });
    expect(await run(segment, ["/etc"])).toMatchObject({ exitCode: 1, failure: { message: "fork/exec /etc: permission denied" } });
    expect(await run(segment, ["true"])).toMatchObject({ exitCode: 0 });
  });

  test("death by a signal is 128 and its number", async () => {
    expect(await run(segment, "kill -9 $$")).toMatchObject({ exitCode: 137 });
    expect(await run(segment, "kill -15 $$")).toMatchObject({ exitCode: 143 });
  });

  test("a step can't end process 1", async () => {
    expect(await run(segment, "kill 1; kill -9 1; busybox sleep 0.01; echo still here")).toMatchObject({ exitCode: 0, stdout: "still here\n" });
    expect(await run(segment, "true")).toMatchObject({ exitCode: 0 });
  });

  test("users follow the rules of the engine", async () => {
    const id = (user: string) => run(segment, ["busybox", "id"], { user });
    await run(
      segment,
      "printf 'root:x:0:0::/root:/bin/sh\\nbob:x:1000:1001::/home/bob:/bin/sh\\n' >/etc/passwd; printf 'root:x:0:\\ngrp:x:1001:\\nextra:x:1002:al,bob\\n' >/etc/group",
    );
    expect((await id("bob")).stdout).toBe("uid=1000(bob) gid=1001(grp) groups=1002(extra)\n");
    expect((await id("bob:extra")).stdout).toBe("uid=1000(bob) gid=1002(extra)\n");
    expect((await id("1000")).stdout).toBe("uid=1000(bob) gid=1001(grp) groups=1002(extra)\n");
    expect((await id("7:8")).stdout).toBe("uid=7 gid=8\n");
    expect((await id("1234")).stdout).toBe("uid=1234 gid=0(root)\n");
    expect((await run(segment, "echo $HOME; grep CapEff /proc/self/status", { user: "bob" })).stdout).toBe("/home/bob\nCapEff:\t0000000000000000\n");
    expect((await id("eve")).failure?.message).toBe("get user: unable to find user eve: no matching entries in passwd file");
    await run(segment, "rm /etc/group");
    expect((await id("bob")).failure?.message).toBe("get user: unable to find groups for spec bob: invalid argument");
    await run(segment, "rm /etc/passwd");
    expect((await id("1234")).failure?.message).toBe("get user: unable to find user 1234: invalid argument");
    expect((await id("7:8")).exitCode).toBe(0);
  });

  test("a user can write to its own standard output by name", async () => {
    expect(await run(segment, "echo x >/dev/stdout; echo y >/dev/stderr", { user: "5:6" })).toMatchObject({ exitCode: 0, stdout: "x\n", stderr: "y\n" });
  });

  test("nothing of a step outlives it", async () => {
    await run(segment, "(sleep 1000 & trap '' TERM; setsid sleep 1000 &) ; sleep 1000 & exit 0");
    const { stdout } = await run(segment, "for p in /proc/[0-9]*; do echo $(cat $p/comm); done | grep -c sleep");
    expect(stdout).toBe("0\n");
  });

  test("much output comes whole while the reader is slow", async () => {
    const hash = createHash("sha256");
    let bytes = 0;
    const outcome = await segment.exec(
      {
        args: ["sh", "-c", "busybox head -c 20000000 /dev/zero; echo end"],
        env: ["PATH=/bin"],
        workingDir: "/",
        user: "",
        stdout: async (chunk) => {
          await new Promise(setImmediate);
          hash.update(chunk);
          bytes += chunk.length;
        },
        stderr: () => {},
      },
      {},
    );
    expect(outcome.exitCode).toBe(0);
    expect(bytes).toBe(20_000_004);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(Buffer.alloc(20_000_000)).update("end\n").digest("hex"));
  });

  test("a program that makes its output non-blocking does not disturb the next", async () => {
    await run(segment, "busybox head -c 5000000 /dev/zero");
    expect((await run(segment, "busybox head -c 5000000 /dev/zero | busybox wc -c")).stdout.trim()).toBe("5000000");
  });

  test("an abort ends everything, and the segment is not sealed after it", async () => {
    const broken = await world.open();
    const controller = new AbortController();
    const running = run(broken, "echo up; sleep 1000", { signal: controller.signal, stdout: () => controller.abort(new Error("enough")) });
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
    await expect(broken.seal(world.digest(), {})).rejects.toMatchObject({ code: "INTERNAL" });
    await broken.close();
  });

  test("an abort before the call touches nothing", async () => {
    await expect(run(segment, "true", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    expect(await run(segment, "true")).toMatchObject({ exitCode: 0 });
  });

  test("an abort does not wait for a reader that stopped reading", async () => {
    const broken = await world.open();
    const controller = new AbortController();
    const stuck = run(broken, "cat /dev/zero", {
      signal: controller.signal,
      stdout: () => {
        controller.abort();
        return new Promise(() => {});
      },
    });
    await expect(stuck).rejects.toMatchObject({ code: "ABORTED" });
    await broken.close();
  });

  test("an error of the reader ends the step", async () => {
    const broken = await world.open();
    const failing = run(broken, "echo x; sleep 1000", {
      stdout: () => {
        throw new RunnerError("INTERNAL", "reader broke");
      },
    });
    await expect(failing).rejects.toMatchObject({ message: "reader broke" });
    await broken.close();
  });

  test("closing twice is fine, and leaves no container", async () => {
    const other = await createTestExecutor();
    const short = await other.open();
    await run(short, "sleep 1000 & true");
    await short.close();
    await short.close();
    await other.executor.close();
    await other.expectNoContainers();
    await other.close();
  });
});
