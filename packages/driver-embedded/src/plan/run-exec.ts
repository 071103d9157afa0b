import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";

import { RunnerError } from "@anyrunner/core/driver";

import type { Segment } from "../executor/executor.ts";
import type { ExecRecord } from "../index-store/index-store.ts";
import type { BlobStore } from "../tree/blob-store.ts";
import { bytesContent, makeFile, type Content } from "../tree/node.ts";
import { readTar } from "../tree/tar-read.ts";
import { writeTar } from "../tree/tar-write.ts";
import type { Call } from "./call.ts";
import { ExecError, isExpected } from "./exec-error.ts";
import type { Exec, SecretUse } from "./operation.ts";
import { createScrubber } from "./scrub.ts";

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface RunExecOptions {
  readonly segment: Segment;
  readonly exec: Exec;
  readonly store: BlobStore;
  readonly call: Call;
}

/**
 * Runs one command in `segment` and gives what it wrote, secrets masked. Fails with `ExecError` when it ended otherwise
 * than expected; the segment's state is then unknown.
 */
export async function runExec({ segment, exec, store, call }: RunExecOptions): Promise<ExecRecord> {
  const secrets = await Promise.all(exec.secrets.map(async (use) => ({ use, value: await use.value(call) })));
  const values = secrets.map(({ value }) => value);
  const files = secrets.filter(({ use }) => use.file !== undefined);
  for (const { use, value } of files) await placeSecret(segment, use, value, store, call);
  const stdin = exec.redirectStdin === undefined ? Buffer.from(exec.stdin) : await readFile(segment, exec.redirectStdin, store, call);

  const outputs = createOutputs(store, values, call);
  let result;
  try {
    result = await segment.exec(
      {
        args: exec.args,
        env: environment(exec, secrets),
        workingDir: exec.workingDir,
        user: exec.user,
        stdin: stdin.length === 0 ? undefined : stdin,
        stdout: outputs.stdout,
        stderr: outputs.stderr,
      },
      { signal: call.signal, report: call.report },
    );
  } catch (error) {
    outputs.destroy();
    throw error;
  }
  if (files.length > 0)
    await segment.remove(
      files.map(({ use }) => use.file?.path ?? ""),
      { signal: call.signal },
    );

  const record = { exitCode: result.exitCode, ...(await outputs.finish()) };
  if (result.failure !== undefined && result.exitCode === -1) {
    throw new ExecError({ message: result.failure.message, cmd: exec.args, exitCode: -1, stdout: "", stderr: "" });
  }
  if (!isExpected(record.exitCode, exec.expect)) {
    throw new ExecError({
      cmd: exec.args,
      exitCode: record.exitCode,
      stdout: (await store.read(record.stdout)).toString(),
      stderr: (await store.read(record.stderr)).toString(),
    });
  }
  await redirect(segment, exec.redirectStdout, record.stdout, store, call);
  await redirect(segment, exec.redirectStderr, record.stderr, store, call);
  return record;
}

function environment(exec: Exec, secrets: readonly { readonly use: SecretUse; readonly value: Uint8Array }[]): string[] {
  const variables = new Map<string, string>([["PATH", DEFAULT_PATH]]);
  for (const line of [...exec.env, ...exec.volatileEnv]) {
    const equals = line.indexOf("=");
    variables.set(line.slice(0, equals), line.slice(equals + 1));
  }
  // A secret wins over a plain variable of the same name, in whatever order they were set.
  for (const { use, value } of secrets) if (use.variable !== undefined) variables.set(use.variable, Buffer.from(value).toString());
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

async function placeSecret(segment: Segment, { file }: SecretUse, value: Uint8Array, store: BlobStore, call: Call): Promise<void> {
  if (file === undefined) return;
  const slash = file.path.lastIndexOf("/");
  const node = makeFile(bytesContent(value), file);
  await segment.put(writeTar([{ path: file.path.slice(slash + 1), node }], store), file.path.slice(0, slash) || "/", { signal: call.signal });
}

async function readFile(segment: Segment, path: string, store: BlobStore, call: Call): Promise<Buffer> {
  const root = await readTar(await segment.get(path, { signal: call.signal }), store);
  const node = [...root.entries.values()][0];
  if (node?.kind !== "file") throw new RunnerError("NOT_FOUND", `open redirect stdin file: open ${path}: no such file or directory`);
  return store.read(node.content);
}

async function redirect(segment: Segment, path: string | undefined, content: Content, store: BlobStore, call: Call): Promise<void> {
  if (path === undefined) return;
  const slash = path.lastIndexOf("/");
  await segment.put(writeTar([{ path: path.slice(slash + 1), node: makeFile(content) }], store), path.slice(0, slash) || "/", { signal: call.signal });
}

/** Three sinks with back-pressure: each stream alone, and both in the order of arrival. */
function createOutputs(store: BlobStore, secrets: readonly Uint8Array[], call: Call) {
  const combined = collect(store);
  const streams = [1, 2].map((number) => {
    const own = collect(store);
    const scrubber = createScrubber(secrets);
    const decoder = new TextDecoder();
    const pass = async (bytes: Buffer) => {
      if (bytes.length === 0) return;
      call.span?.log(number as 1 | 2, decoder.decode(bytes, { stream: true }));
      await Promise.all([own.write(bytes), combined.write(bytes)]);
    };
    return { own, write: (chunk: Uint8Array) => pass(scrubber.push(chunk)), end: () => pass(scrubber.end()) };
  });
  const [stdout, stderr] = streams as [(typeof streams)[number], (typeof streams)[number]];
  return {
    stdout: stdout.write,
    stderr: stderr.write,
    async finish() {
      await stdout.end();
      await stderr.end();
      const [out, err, both] = await Promise.all([stdout.own.finish(), stderr.own.finish(), combined.finish()]);
      return { stdout: out, stderr: err, combined: both };
    },
    destroy() {
      for (const sink of [stdout.own, stderr.own, combined]) sink.destroy();
    },
  };
}

function collect(store: BlobStore) {
  const stream = new PassThrough({ highWaterMark: 256 * 1024 });
  const content = store.add(stream as Readable);
  // Whoever finishes gets the failure; nobody may be left with an unhandled one.
  content.catch(() => {});
  return {
    async write(bytes: Buffer) {
      // A copy: the caller may use its buffer again as soon as the promise is kept.
      if (!stream.write(Buffer.from(bytes))) await Promise.race([once(stream, "drain"), content]);
    },
    finish: () => {
      stream.end();
      return content;
    },
    destroy: () => stream.destroy(),
  };
}
