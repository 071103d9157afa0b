import { mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  decodeBytesMessage,
  encodeBytesMessage,
  fileStat,
  goFileMode,
  MODE,
  parseExportOptions,
  parseImportOptions,
  receiveTree,
  sendTree,
  walkTree,
} from "@anyrunner/filesync";
import {
  Auth,
  duplexPair,
  FILE_SEND_DIFF_COPY,
  FILE_SYNC_DIFF_COPY,
  GrpcError,
  GrpcStatus,
  Health,
  openHttp2Connection,
  Secrets,
  serveGrpc,
  unaryHandler,
  type GrpcRoutes,
} from "@anyrunner/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createAttachedClient, type AttachedClient } from "./attached-client.ts";

let folder: string;
let client: AttachedClient;
let close: () => Promise<void>;
let calls: number;

/** What a client serves, with nothing but the file transfers of filesync. */
const ROUTES: GrpcRoutes = {
  [Health.check.path]: unaryHandler(Health.check, () => ({ status: 1 })),
  [Secrets.getSecret.path]: unaryHandler(Secrets.getSecret, ({ id }) => ({ data: Buffer.from(`value of ${id}`) })),
  [Auth.credentials.path]: unaryHandler(Auth.credentials, ({ host }) => ({ username: "someone", secret: host })),
  [FILE_SYNC_DIFF_COPY]: async (call) => {
    const { path, readSingleFileOnly, includePatterns, excludePatterns } = parseImportOptions(call.metadata);
    if (!readSingleFileOnly)
      return sendTree({ entries: walkTree({ root: path, include: includePatterns, exclude: excludePatterns }), channel: call, signal: call.signal });
    const content = await readFile(path).catch(() => Promise.reject(new GrpcError(GrpcStatus.NOT_FOUND, "no such file")));
    return call.send(encodeBytesMessage(content));
  },
  [FILE_SEND_DIFF_COPY]: async (call) => {
    const { path, isFileStream, merge } = parseExportOptions(call.metadata);
    if (!isFileStream) return receiveTree({ channel: call, destination: path, merge, signal: call.signal });
    const chunks: Uint8Array[] = [];
    for await (const message of call.messages) chunks.push(Buffer.from(decodeBytesMessage(message)));
    await writeFile(path, Buffer.concat(chunks));
  },
};

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "attached-")));
  calls = 0;
  const [near, far] = duplexPair();
  const server = serveGrpc(near, ROUTES);
  const connection = openHttp2Connection(far);
  client = createAttachedClient(connection, () => {
    calls += 1;
    return Promise.resolve();
  });
  close = async () => {
    connection.destroy();
    await server.closed;
  };
});
afterEach(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

const big = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));

describe("the engine's calls", () => {
  test("read a tree with its contents, wanted ones only", async () => {
    await mkdir(join(folder, "sub"));
    await writeFile(join(folder, "sub/big"), big);
    await writeFile(join(folder, "empty"), "");
    await writeFile(join(folder, "skipped.log"), "x");
    await symlink("empty", join(folder, "link"));
    const files = await client.readTree(folder, { exclude: ["*.log"], wants: ({ path }) => path !== "empty" });
    expect(files.map(({ stat: { path }, content }) => [path, content?.length])).toEqual([
      ["empty", undefined],
      ["link", undefined],
      ["sub", undefined],
      ["sub/big", 100_000],
    ]);
    expect(files[3]?.content?.equals(big)).toBe(true);
  });

  test("write a tree", async () => {
    const target = join(folder, "target");
    await client.writeTree(target, [
      { stat: fileStat({ path: "a", mode: MODE.DIRECTORY + 0o755 }) },
      { stat: fileStat({ path: "a/big", mode: 0o600, size: big.length, modTimeNs: 1_700_000_000_000_000_000n }), content: big },
      { stat: fileStat({ path: "b", mode: 0o644, size: 0 }), content: Buffer.alloc(0) },
    ]);
    expect((await readFile(join(target, "a/big"))).equals(big)).toBe(true);
    expect((await stat(join(target, "a/big"))).mtimeMs).toBe(1_700_000_000_000);
    expect(goFileMode(await stat(join(target, "a/big")))).toBe(0o600);
    expect(await readFile(join(target, "b"), "utf8")).toBe("");
  });

  test("write and read single files", async () => {
    const path = join(folder, "file");
    await client.writeFile(path, [big.subarray(0, 7), big.subarray(7)]);
    expect((await client.readFile(path)).equals(big)).toBe(true);
    await expect(client.readFile(join(folder, "none"))).rejects.toMatchObject({ status: GrpcStatus.NOT_FOUND });
  });

  test("ask for secrets, credentials and health, and each is noted before", async () => {
    expect((await client.secret("env://NAME")).toString()).toBe("value of env://NAME");
    expect(await client.credentials("registry:5000")).toEqual({ username: "someone", secret: "registry:5000" });
    await client.checkHealth();
    expect(calls).toBe(3);
  });

  test("fail with what the client says", async () => {
    await expect(client.readTree(join(folder, "none"))).rejects.toThrow(/none/);
    await writeFile(join(folder, "file"), "");
    await expect(client.writeTree(join(folder, "file/below"), [])).rejects.toThrow(/./);
  });
});
