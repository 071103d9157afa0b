import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { Duplex } from "node:stream";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { digestOf, readDigest, readText, writeAll } from "./conversation.ts";
import { CONFORMANCE_PEER_SCRIPT } from "./conformance-peer.ts";
import { startConformanceServer, type ConformanceServer } from "./conformance-server.ts";
import { numberLines } from "./number-lines.ts";

/** The shell that images have, where this machine has it. */
const SHELL: readonly [string, ...string[]] = existsSync("/bin/busybox") ? ["/bin/busybox", "sh"] : ["sh"];

let server: ConformanceServer;
beforeAll(async () => {
  server = await startConformanceServer();
});
afterAll(async () => {
  await server.kill();
});

const peers: readonly (readonly [string, () => Duplex])[] = [
  ["in this process", () => connect({ port: Number(server.address.split(":")[1]), host: "127.0.0.1", allowHalfOpen: true })],
  [`as a script of ${SHELL.join(" ")}`, () => runScript()],
];

describe.each(peers)("the conformance peer %s", (_, open) => {
  test("echoes what follows the line, in the same chunk too, until the client's end", async () => {
    const stream = open();
    stream.write("ECHO\nfirst ");
    stream.end("second");
    expect(await readText(stream)).toBe("first second");
  });

  test("digests a counted number of bytes while the client stays open", async () => {
    const stream = open();
    stream.write("SINK 200000\n");
    await writeAll(stream, numberLines(200_000));
    expect((await readText(stream)).trim()).toBe(digestOf(numberLines(200_000)).sha256);
    stream.destroy();
  });

  test.each([0, 1, 100_000, 3_000_001])("sends %i bytes that it can be checked by", async (count) => {
    const stream = open();
    stream.write(`SOURCE ${count}\n`);
    expect(await readDigest(stream)).toEqual(digestOf(numberLines(count)));
    stream.destroy();
  });

  test("answers after the client's end", async () => {
    const stream = open();
    stream.write("HALFCLOSE\n");
    stream.end("abc");
    expect((await readText(stream)).trim()).toBe(digestOf([Buffer.from("abc")]).sha256);
  });

  test.each(["DIE", "NONSENSE 1", "x".repeat(500)])("is gone at once after %s", async (line) => {
    const stream = open();
    stream.on("error", () => {});
    stream.write(`${line}\n`);
    expect(await readText(stream).catch(() => "")).toBe("");
    stream.destroy();
  });
});

/** A program as a stream; what it no longer reads when it has ended is no error. */
function runScript(): Duplex {
  const child = spawn(SHELL[0], [...SHELL.slice(1), "-c", CONFORMANCE_PEER_SCRIPT], { stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {});
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk, _, callback) => void child.stdin.write(chunk, () => callback()),
    final: (callback) => void child.stdin.end(() => callback()),
    destroy(error, callback) {
      child.kill();
      callback(error);
    },
  });
  child.stdout.on("data", (chunk: Buffer) => void (stream.push(chunk) || child.stdout.pause()));
  child.stdout.once("end", () => stream.push(null));
  return stream;
}

test("an option that the server doesn't have is refused, with those that it has", async () => {
  await expect(startConformanceServer({ socketPath: "/x" } as object)).rejects.toThrow('no option "socketPath"; there are path, host and port');
});
