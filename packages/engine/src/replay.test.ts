import { mkdir, mkdtemp, readFile, readlink, realpath, rm, stat } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { decodeBytesMessage } from "@anyrunner/filesync";
import { duplexPair, openHttp2Connection, serveGrpc } from "@anyrunner/protocol";
import { makeRecordedHost, readCall, readConversation, readRecording, replayEngine, type RecordedScenario } from "@anyrunner/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createAttachables } from "./attachables/index.ts";

let folder: string;
let root: string;
let outside: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "replay-")));
  root = join(folder, "demo");
  outside = join(folder, "tmp");
  await mkdir(outside);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Our attachables, called by the recorded engine of a scenario. */
async function replay(scenario: RecordedScenario) {
  const login = await recordedLogin(scenario);
  const service = scenario === "hostService" ? await serveAsRecorded() : undefined;
  await makeRecordedHost(scenario, root);
  const attachables = createAttachables({ env: {}, cwd: root, home: folder, gitignore: "mark", credentials: () => Promise.resolve(login) });
  const [near, far] = duplexPair();
  const server = serveGrpc(near, attachables.routes);
  const connection = openHttp2Connection(far);
  try {
    return await replayEngine(scenario, connection, { root, outside, service: service?.url });
  } finally {
    connection.destroy();
    await server.closed;
    await attachables.close();
    service?.close();
  }
}

/** The recorded service of the host: answers whoever says something as it did then. */
async function serveAsRecorded() {
  const calls = readConversation(await readRecording("hostService", 2)).exchanges.map(readCall);
  const answers = calls.filter(({ mode }) => mode === "socket").flatMap(({ answer }) => answer.messages.map(decodeBytesMessage));
  const server = createServer((socket) => void socket.on("error", () => {}).once("data", () => socket.end(Buffer.concat(answers))));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

describe("the recorded engine calls this client", () => {
  test.each([
    "version",
    "upload",
    "uploadFilter",
    "uploadGitignore",
    "hostFile",
    "hostMissing",
    "exportDir",
    "exportFile",
    "exec",
    "execFail",
    "secretEnv",
    "setSecret",
    "pull",
    "pullDenied",
    "pushPull",
    "hostSocket",
    "hostService",
    "tunnel",
  ] as const)("%s: every answer is the official client's", async (scenario) => {
    const calls = await replay(scenario);
    expect(calls.length).toBeGreaterThan(4);
    expect(calls.map(({ call, played }) => [call, ...played])).toEqual(calls.map(({ call, recorded }) => [call, ...recorded]));
  });

  test("exportDir: what the engine sent lies on the disk, with modes, times and links", async () => {
    await replay("exportDir");
    const at = (name: string) => join(outside, "outdir", name);
    expect(await readFile(at("a.txt"), "utf8")).toBe("hello\n");
    expect(await readFile(at("sub/b.txt"), "utf8")).toBe("nested\n");
    expect(await readlink(at("link"))).toBe("a.txt");
    expect((await stat(at("run.sh"))).mode & 0o777).toBe(0o755);
    expect((await stat(at("zeros.bin"))).size).toBe(70_000);
    // Node sets times as floating-point seconds: a quarter of a microsecond is the best there is.
    expect(Number((await stat(at("a.txt"), { bigint: true })).mtimeNs - 1795490607238287863n)).toBeCloseTo(0, -3);
    expect(Number((await stat(at("sub"), { bigint: true })).mtimeNs - 1795490609724556924n)).toBeCloseTo(0, -3);
  });

  test("exportFile: the file lies on the disk with its mode", async () => {
    await replay("exportFile");
    expect(await readFile(join(outside, "out.txt"), "utf8")).toBe("payload");
    expect((await stat(join(outside, "out.txt"))).mode & 0o777).toBe(0o644);
  });
});

/** The login that the official client gave, if it was asked: two texts, fields 1 and 2. */
async function recordedLogin(scenario: RecordedScenario) {
  const calls = readConversation(await readRecording(scenario, 2)).exchanges.map(readCall);
  const answer = calls.find(({ path }) => path.endsWith("/Credentials"))?.answer.messages[0];
  if (answer === undefined) return undefined;
  const username = answer.subarray(2, 2 + (answer[1] ?? 0));
  return { username: username.toString("utf8"), secret: answer.subarray(4 + username.length).toString("utf8") };
}
