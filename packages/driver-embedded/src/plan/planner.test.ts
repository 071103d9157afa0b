import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createFakeExecutor, type FakeExecutor } from "../executor/fake-executor.ts";
import { openIndex } from "../index-store/index-store.ts";
import { createBlobStore, type BlobStore } from "../tree/blob-store.ts";
import { startSpan } from "../telemetry/span.ts";
import { readTar } from "../tree/tar-read.ts";
import type { Call } from "./call.ts";
import { execOperation, imageOperation, putOperation, type Exec, type Operation } from "./operation.ts";
import { createPlanner, type Planner } from "./planner.ts";
import { bytesContent, makeFile } from "../tree/node.ts";

let state: string;
let store: BlobStore;
let executor: FakeExecutor;
let planner: Planner;
let base: Operation;
let gate: (args: readonly string[]) => Promise<void> | void = () => {};

beforeEach(async () => {
  gate = () => {};
  state = await mkdtemp(join(tmpdir(), "anyrunner-plan-"));
  store = createBlobStore(join(state, "blobs"));
  executor = createFakeExecutor({ store, gate: (step) => gate(step.args) });
  planner = createPlanner({ executor, index: await openIndex(join(state, "index.jsonl")), store, concurrency: 2 });
  base = imageOperation((await executor.resolveImage("base:1", {})).snapshot);
  executor.calls.length = 0;
});

afterEach(async () => {
  await planner.close();
  await rm(state, { recursive: true });
});

const call = (signal = new AbortController().signal): Call => ({ signal });

function exec(parent: Operation, args: readonly string[], more: Partial<Exec> = {}) {
  return execOperation(parent, {
    args,
    env: [],
    volatileEnv: [],
    secrets: [],
    workingDir: "/",
    user: "",
    stdin: "",
    expect: "SUCCESS",
    privileged: false,
    mounts: [],
    ...more,
  });
}

const stdout = async (operation: ReturnType<typeof exec>, on = planner) => (await store.read((await on.run(operation, call())).stdout)).toString();

describe("a chain", () => {
  test("runs in one segment, each step sealed before the next", async () => {
    expect(await stdout(exec(exec(base, ["write", "/a", "1"]), ["cat", "/a"]))).toBe("1");
    await planner.settle();
    expect(executor.calls).toEqual(["open", "exec write /a 1", "seal", "exec cat /a", "seal"]);
  });

  test("runs once, also when it is asked for twice at a time and later", async () => {
    const step = exec(base, ["tick"]);
    const [a, b] = await Promise.all([stdout(step), stdout(exec(base, ["tick"]))]);
    expect(a).toBe(b);
    expect(await stdout(step)).toBe(a);
    expect(executor.calls.filter((each) => each === "exec tick")).toHaveLength(1);
  });

  test("goes on in the warm segment of an earlier query", async () => {
    const first = exec(base, ["write", "/a", "1"]);
    await stdout(first);
    await stdout(exec(first, ["cat", "/a"]));
    expect(executor.calls.filter((each) => each === "open")).toHaveLength(1);
  });
});

describe("branches", () => {
  test("of one step see one value, at once and one after the other", async () => {
    const middle = exec(base, ["tick"]);
    const [a, b] = await Promise.all([stdout(exec(middle, ["cat", "/tick"])), stdout(exec(middle, ["cat", "/tick", "/tick"]))]);
    const c = await stdout(exec(middle, ["cat", "/tick", "/tick", "/tick"]));
    expect(b).toBe(a + a);
    expect(c).toBe(a + a + a);
    expect(executor.calls.filter((each) => each === "exec tick")).toHaveLength(1);
  });

  test("with other mounts go on from a snapshot", async () => {
    const middle = exec(base, ["tick"]);
    const mounted = exec(middle, ["cat", "/tick"], { mounts: [{ kind: "tmpfs", path: "/t" }] });
    expect(await stdout(mounted)).toBe((await stdout(middle)).trim());
    expect(executor.calls.filter((each) => each === "exec tick")).toHaveLength(1);
  });

  test("a file read from the middle is the one that the branch saw", async () => {
    const middle = exec(base, ["tick"]);
    const [text, file] = await Promise.all([
      stdout(exec(middle, ["cat", "/tick"])),
      planner.read(middle, "/tick", call(), async (tar) => {
        const node = (await readTar(tar, store)).entries.get("tick");
        return node?.kind === "file" ? (await store.read(node.content)).toString() : undefined;
      }),
    ]);
    expect(file).toBe(text);
    expect(executor.calls.filter((each) => each === "exec tick")).toHaveLength(1);
  });
});

test("another process finds results and snapshots again", async () => {
  const first = exec(base, ["write", "/a", "1"]);
  await stdout(first);
  await planner.settle();
  const index = await openIndex(join(state, "index.jsonl"));
  const second = createPlanner({ executor, index, store, concurrency: 2 });
  executor.calls.length = 0;
  expect(await stdout(exec(first, ["cat", "/a"]), second)).toBe("1");
  expect(executor.calls.slice(0, 2)).toEqual(["open", "exec cat /a"]);
  await second.close();
});

test("a step whose snapshot somebody removed runs again when its files are needed, with a warning", async () => {
  const first = exec(base, ["write", "/a", "1"]);
  await stdout(first);
  await planner.close();
  await executor.forget(await first.key(call()), {});
  executor.calls.length = 0;
  const warnings: string[] = [];
  const report = (event: { readonly type: string; readonly message: string }) => void warnings.push(event.message);
  const { stdout: content } = await planner.run(exec(first, ["cat", "/a"]), { ...call(), report });
  expect((await store.read(content)).toString()).toBe("1");
  expect(executor.calls.filter((each) => each.startsWith("exec"))).toEqual(["exec write /a 1", "exec cat /a"]);
  expect(warnings).toEqual(["a cached step runs again, because its snapshot is gone"]);
});

test("snapshots that are too many are given up, the least used first", async () => {
  const first = exec(base, ["write", "/a", "1"]);
  await stdout(exec(exec(first, ["write", "/b", "2"]), ["write", "/c", "3"]));
  await planner.settle();
  executor.calls.length = 0;
  await planner.collect({ count: 2, ageMs: 1_000_000 });
  expect(executor.calls).toEqual(["forget"]);
  expect(await executor.find(await first.key(call()), {})).toBeUndefined();
});

test("a command shows once below one query, as cached where it did not run", async () => {
  const shown: string[] = [];
  const sink = {
    span: (record: { name: string; endNs: bigint | undefined; attributes: object }) =>
      void (record.endNs !== undefined && shown.push(`${record.name} ${JSON.stringify(record.attributes)}`)),
    log: () => {},
  };
  const span = startSpan(sink, "query", { traceId: "0".repeat(32) });
  const step = exec(base, ["echo", "two words"]);
  await planner.run(step, { ...call(), span });
  await planner.run(step, { ...call(), span });
  await planner.run(step, { ...call(), span: startSpan(sink, "query", { traceId: "0".repeat(32) }) });
  expect(shown).toEqual(['withExec echo "two words" {}', 'withExec echo "two words" {"dagger.io/dag.cached":true}']);
});

test("a failure is not kept and its segment is closed", async () => {
  const failing = exec(base, ["fail", "7"]);
  await expect(planner.run(failing, call())).rejects.toMatchObject({ exitCode: 7, stdout: "o", stderr: "e", message: "exit code: 7" });
  await expect(planner.run(failing, call())).rejects.toMatchObject({ exitCode: 7 });
  expect(executor.calls).toEqual(["open", "exec fail 7", "close", "open", "exec fail 7", "close"]);
});

test("what is put in is part of the key and of the file system", async () => {
  const put = (text: string) => putOperation(base, async () => ({ path: "/d/f", name: "f", node: makeFile(bytesContent(Buffer.from(text))) }));
  expect(await stdout(exec(put("one"), ["cat", "/d/f"]))).toBe("one");
  expect(await stdout(exec(put("two"), ["cat", "/d/f"]))).toBe("two");
  expect(await stdout(exec(put("one"), ["cat", "/d/f"]))).toBe("one");
  expect(executor.calls.filter((each) => each.startsWith("exec"))).toHaveLength(2);
});

test("a secret is masked in what a command says and absent from the key", async () => {
  const withSecret = (value: string) =>
    exec(base, ["env"], { secrets: [{ variable: "TOKEN", identity: async () => "name", value: async () => Buffer.from(value) }] });
  expect(await stdout(withSecret("hush-hush"))).toContain("TOKEN=***");
  expect(await withSecret("hush-hush").key(call())).toBe(await withSecret("other").key(call()));
});

test("a command that nobody waits for any more is ended, and its segment is closed", async () => {
  const controller = new AbortController();
  const started = Promise.withResolvers<void>();
  gate = () => {
    started.resolve();
    return new Promise<void>(() => {});
  };
  const run = planner.run(exec(base, ["echo", "x"]), call(controller.signal));
  await started.promise;
  controller.abort();
  await expect(run).rejects.toMatchObject({ code: "ABORTED" });
  await expect.poll(() => executor.calls).toEqual(["open", "exec echo x", "close"]);
});
