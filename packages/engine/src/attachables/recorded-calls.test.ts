import { chmodSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  decodePacket,
  decodeStat,
  encodeExportOptions,
  encodeImportOptions,
  parseExportOptions,
  parseImportOptions,
  type CallMetadata,
  type FileStat,
  type Packet,
} from "@anyrunner/filesync";
import { describe, expect, test } from "vitest";
import { makeDirectory, startAttachables, type TestAnswer } from "./test-attachables.ts";

interface RecordedCall {
  readonly scenario: string;
  readonly path: string;
  readonly metadata: readonly (readonly [name: string, value: string])[];
  readonly asked: readonly string[];
  readonly answered: readonly string[];
  /** Null where the engine cancelled. */
  readonly status: number | null;
  readonly message: string | null;
}

const { calls } = JSON.parse(gunzipSync(readFileSync(join(import.meta.dirname, "recorded-calls.json.gz"))).toString()) as { calls: readonly RecordedCall[] };
const callsOf = (path: string) => calls.filter((call) => call.path === path);

/** The tree that the recordings were made with, `/demo` below a directory of the test. */
function makeRecordedTree(): string {
  const root = makeDirectory({
    "demo/secret.txt": "s3cret-value\n",
    "demo/src/.gitignore": "node_modules\n",
    "demo/src/a.txt": "hello\n",
    "demo/src/link": { link: "a.txt" },
    "demo/src/node_modules/x.js": "junk\n",
    "demo/src/run.sh": "#!/bin/sh\necho run\n",
    "demo/src/sub/b.txt": "nested\n",
    tmp: null,
  });
  writeFileSync(join(root, "demo/src/zeros.bin"), Buffer.alloc(70_000));
  for (const path of [".gitignore", "a.txt", "node_modules/x.js", "sub/b.txt", "zeros.bin"]) chmodSync(join(root, "demo/src", path), 0o644);
  for (const path of ["demo", "demo/src", "demo/src/node_modules", "demo/src/sub", "demo/src/run.sh"]) chmodSync(join(root, path), 0o755);
  return root;
}

/** The recorded metadata, absolute paths moved below `root`. */
function relocate(call: RecordedCall, root: string): Record<string, readonly string[]> {
  const values = (name: string) => call.metadata.filter(([key]) => key === name).map(([, value]) => value);
  const metadata: CallMetadata = { get: (name) => values(name)[0], getAll: values };
  const move = (path: string) => (path.startsWith("/") ? root + path.replace(/\/$/, "") : path);
  if (call.path.includes("FileSend")) {
    const options = parseExportOptions(metadata);
    return encodeExportOptions({ ...options, path: move(options.path) });
  }
  const options = parseImportOptions(metadata);
  return encodeImportOptions({ ...options, path: move(options.path) });
}

/** Times are those of the test's own files. */
function withoutTime(stat: FileStat | undefined): unknown {
  return stat === undefined ? undefined : { ...stat, modTimeNs: 0n };
}

function comparable(packet: Packet): unknown {
  return packet.type === "stat" ? { type: "stat", stat: withoutTime(packet.stat) } : packet;
}

describe("answers to the engine's recorded FileSync calls", () => {
  const named = callsOf("/moby.filesync.v1.FileSync/DiffCopy").map((call) => [describeCall(call), call] as const);

  test.each(named.filter(([, call]) => call.status !== null && !describeCall(call).includes("/tmp/")))("%s", async (_, call) => {
    const root = makeRecordedTree();
    const engine = startAttachables({ cwd: join(root, "demo") });
    const answer = await engine.call(call.path, relocate(call, root));
    expect({ status: answer.status, message: answer.message.replaceAll(root, "") }).toEqual({ status: call.status, message: call.message ?? "" });
    const recorded = call.answered.map((hex) => withoutTime(decodeStat(Buffer.from(hex, "hex"))));
    const ours = answer.messages
      .map((message) => decodeStat(message))
      .map((stat) => withoutTime({ ...stat, path: stat.path.replace(root, ""), uid: 0, gid: 0 }));
    expect(ours).toEqual(recorded);
  });

  test.each(named.filter(([, call]) => call.status === null))("%s", async (_, call) => {
    const root = makeRecordedTree();
    const stream = startAttachables({ cwd: join(root, "demo") }).open(call.path, relocate(call, root));
    const recorded = call.answered.map((hex) => comparable(decodePacket(Buffer.from(hex, "hex"))));
    const ours: unknown[] = [];
    for await (const message of stream.messages) {
      ours.push(comparable(decodePacket(message)));
      if (ours.length === recorded.length) break;
    }
    expect(ours).toEqual(recorded);
    // As the engine does when it has what it wants.
    stream.cancel();
  });
});

describe("answers to the engine's recorded FileSend calls", () => {
  const [directoryCall, fileCall] = callsOf("/moby.filesync.v1.FileSend/DiffCopy") as [RecordedCall, RecordedCall];
  const statCalls = callsOf("/moby.filesync.v1.FileSync/DiffCopy").filter((call) => describeCall(call).includes("/tmp/"));

  async function replay(call: RecordedCall, root: string): Promise<TestAnswer> {
    return startAttachables().call(
      call.path,
      relocate(call, root),
      call.asked.map((hex) => Buffer.from(hex, "hex")),
    );
  }

  test("a directory: the same requests and the same finish; the tree is on disk", async () => {
    const root = makeRecordedTree();
    const answer = await replay(directoryCall, root);
    expect(answer.status).toBe(0);
    expect(answer.messages.map((message) => decodePacket(message))).toEqual(directoryCall.answered.map((hex) => decodePacket(Buffer.from(hex, "hex"))));
    expect(readFileSync(join(root, "tmp/outdir/zeros.bin"))).toEqual(Buffer.alloc(70_000));
    expect(readFileSync(join(root, "tmp/outdir/run.sh"), "utf8")).toBe("#!/bin/sh\necho run\n");
    await expectSameStat(statCalls[0]!, root);
  });

  test("a file: no message, only OK", async () => {
    const root = makeRecordedTree();
    expect(await replay(fileCall, root)).toEqual({ messages: [], status: 0, message: "" });
    expect(readFileSync(join(root, "tmp/out.txt"), "utf8")).toBe("payload");
    expect(statSync(join(root, "tmp/out.txt")).mode & 0o777).toBe(0o644 & ~process.umask());
    utimesSync(join(root, "tmp/out.txt"), 1, 1);
    await expectSameStat(statCalls[1]!, root);
  });

  async function expectSameStat(call: RecordedCall, root: string): Promise<void> {
    const { messages } = await startAttachables().call(call.path, relocate(call, root));
    const ours = messages.map((message) => decodeStat(message)).map((stat) => withoutTime({ ...stat, path: stat.path.replace(root, ""), uid: 0, gid: 0 }));
    expect(ours).toEqual(call.answered.map((hex) => withoutTime(decodeStat(Buffer.from(hex, "hex")))));
  }
});

test("a secret by file is answered as recorded", async () => {
  const root = makeRecordedTree();
  const [call] = callsOf("/moby.buildkit.secrets.v1.Secrets/GetSecret") as [RecordedCall];
  const path = `file://${root}/demo/secret.txt`;
  const answer = await startAttachables().call(call.path, {}, [Buffer.concat([Buffer.from([0x0a, path.length]), Buffer.from(path)])]);
  expect(answer).toEqual({ messages: call.answered.map((hex) => Buffer.from(hex, "hex")), status: 0, message: "" });
});

test("registry credentials are answered as recorded", async () => {
  const [call] = callsOf("/moby.filesync.v1.Auth/Credentials") as [RecordedCall];
  const engine = startAttachables({ credentials: async (host) => (host === "127.0.0.1:5999" ? { username: "alice", secret: "wonder" } : undefined) });
  const asked = call.asked.map((hex) => Buffer.from(hex, "hex"));
  expect(await engine.call(call.path, {}, asked)).toEqual({ messages: call.answered.map((hex) => Buffer.from(hex, "hex")), status: 0, message: "" });
});

function describeCall(call: RecordedCall): string {
  const header = call.metadata.find(([name]) => name.startsWith("x-dagger-local-"))?.[1] ?? "";
  const options = JSON.parse(Buffer.from(header, "base64").toString()) as Record<string, unknown>;
  return Object.entries(options)
    .filter(([, value]) => value !== null && value !== false && value !== 0 && value !== "")
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(", ");
}
