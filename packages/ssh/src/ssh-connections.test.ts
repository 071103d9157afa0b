import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runProgram } from "@anyrunner/exec";
import {
  expectNothingLeft,
  SSH_TESTS_SKIPPED,
  startConformanceServer,
  startSshServer,
  takeInventory,
  type ConformanceServer,
  type SshServer,
  type SshServerOptions,
} from "@anyrunner/testkit";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";

import { createSshConnections, type SshConnectionsSettings } from "./ssh-connections.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  vi.unstubAllEnvs();
});

describe.skipIf(SSH_TESTS_SKIPPED)(`a real sshd${SSH_TESTS_SKIPPED ? " (skipped by ANYRUNNER_TEST_SSH)" : ""}`, () => {
  // What the first of all programs opens stays.
  beforeAll(async () => void (await runProgram({ command: "true" })));

  test("two hundred streams dialled at once share one connection; after the last nothing is left", async () => {
    const { server, engine, dial } = await setUp();
    await source(dial());
    await vi.waitFor(async () => expect(await server.connectionCount()).toBe(0), { timeout: 60_000 });
    const before = await takeInventory();
    const streams = await Promise.all(Array.from({ length: 200 }, () => dial()));
    expect(await server.connectionCount()).toBe(1);
    await vi.waitFor(() => expect(engine.connectionCount()).toBe(200), { timeout: 60_000 });
    expect(server.log().match(/Accepted publickey/g)?.length).toBe(2);
    for (const { stream } of streams) stream.destroy();
    expect(await Promise.all(streams.map(({ closed }) => closed))).toEqual(streams.map(() => ({ kind: "local" })));
    await expectNothingLeft(before, { extra: async () => (await server.connectionCount()) + engine.connectionCount() + (await foldersLeft()) });
  });

  test("what is wrong with the socket is named", async () => {
    const { server, dial } = await setUp();
    const path = join(server.folder, "nothing.sock");
    await expect(dial({ remotePath: path })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: `there is no socket at ${path} on ${server.host}`,
      retryable: false,
    });
    await writeFile(path, "");
    await expect(dial({ remotePath: path })).rejects.toMatchObject({ code: "NOT_FOUND", message: `what is at ${path} on ${server.host} is no socket` });
    const dead = join(server.folder, "dead.sock");
    const child = spawn(process.execPath, [
      "-e",
      `require("node:net").createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    await once(child, "exit");
    await expect(dial({ remotePath: dead })).rejects.toMatchObject({ code: "CONNECTION_REFUSED", hint: expect.stringContaining("AllowStreamLocalForwarding") });
  });

  test("a path may hold anything but a colon", async () => {
    const { server, dial } = await setUp();
    const path = join(server.folder, `a%h b's "$x".sock`);
    const engine = await startConformanceServer({ path });
    cleanups.push(() => engine.kill());
    expect(await source(dial({ remotePath: path }))).toBe("1\n2\n3");
  });

  test("an unknown host key, and a changed one, are refused", async () => {
    const { server, dial } = await setUp();
    expect(await source(dial())).toBe("1\n2\n3");
    await server.changeHostKey();
    await vi.waitFor(
      () => expect(dial()).rejects.toMatchObject({ code: "AUTH_FAILED", message: expect.stringContaining("is not the one that is known"), retryable: false }),
      { timeout: 60_000 },
    );
    await writeFile(join(server.folder, "known_hosts"), "");
    await expect(dial()).rejects.toMatchObject({ code: "AUTH_FAILED", message: expect.stringContaining("is not known") });
    expect(server.log()).not.toContain("Accepted");
  });

  test("a changed host key is refused even where the user's configuration takes any; a new one is then taken", async () => {
    const { server, dial } = await setUp();
    await writeFile(server.configFile, `StrictHostKeyChecking no\n${await readFile(server.configFile, "utf8")}`);
    await writeFile(join(server.folder, "known_hosts"), "");
    expect(await source(dial())).toBe("1\n2\n3");
    await server.changeHostKey();
    await vi.waitFor(() => expect(dial()).rejects.toMatchObject({ code: "AUTH_FAILED", message: expect.stringContaining("is not the one that is known") }), {
      timeout: 60_000,
    });
  });

  test("a key that the host doesn't know", async () => {
    const { server, dial } = await setUp();
    await writeFile(join(server.folder, "authorized_keys"), "");
    await expect(dial()).rejects.toMatchObject({ code: "PERMISSION_DENIED", message: expect.stringContaining("publickey") });
  });

  test("nobody at the port, a name without address, a broken configuration, a host that says nothing", async () => {
    const { server, dial } = await setUp();
    await expect(dial({}, { host: "no-such-host.invalid" })).rejects.toMatchObject({ code: "NAME_NOT_RESOLVED" });
    await server.stop();
    await expect(dial()).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
    const silent = createServer((socket) => socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    cleanups.push(() => new Promise((resolve) => silent.close(resolve)));
    const impatient = createSshConnections({ configFile: server.configFile, connectBudgetMs: 300 });
    const { port } = silent.address() as AddressInfo;
    await expect(impatient.dial({ host: server.host, port }, { remotePath: "/x", relayCommand: "true" })).rejects.toMatchObject({
      code: "TIMEOUT",
      retryable: true,
    });
    await writeFile(server.configFile, "Hosst x\n");
    await expect(dial()).rejects.toMatchObject({ code: "INVALID_CONFIG" });
    expect(await foldersLeft()).toBe(0);
  });

  test("a server that has too many who log in is tried again", async () => {
    const { server, dial } = await setUp({ config: ["MaxStartups 1:100:1"] });
    const other = connect({ host: "127.0.0.1", port: server.port });
    await once(other, "data");
    const dialled = source(dial());
    await vi.waitFor(() => expect(server.log()).toMatch(/MaxStartups/), { timeout: 60_000 });
    other.destroy();
    expect(await dialled).toBe("1\n2\n3");
  });

  test("no ssh on PATH", async () => {
    const connections = createSshConnections({ env: { PATH: "/nowhere" } });
    await expect(connections.dial({ host: "h" }, { remotePath: "/x", relayCommand: "true" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      details: { program: "ssh" },
    });
  });

  test("when the host goes away, streams tell it, and the next dial makes a new connection", async () => {
    const { server, dial } = await setUp();
    const { stream, closed, diagnostics } = await dial();
    stream.resume();
    await server.stop();
    expect(await closed).toMatchObject({ kind: "error", error: { code: "CONNECTION_LOST", retryable: true } });
    expect((await diagnostics()).summary).toContain(`the ssh connection to ${server.host} ended`);
    await server.start();
    expect(await source(dial())).toBe("1\n2\n3");
  });

  test("a dial that is cancelled while ssh logs in leaves nothing; others that wait for it are served", async () => {
    const { server, dial } = await setUp({}, { idleMs: 0 });
    const before = await takeInventory();
    const controller = new AbortController();
    const cancelled = dial({ signal: controller.signal });
    const served = dial();
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: "ABORTED" });
    expect(await source(served)).toBe("1\n2\n3");
    await expectNothingLeft(before, { extra: () => server.connectionCount() });
  });

  test("without forwarding, relays run over the one connection, and the tenth is refused", async () => {
    const { server, dial } = await setUp({ config: ["AllowStreamLocalForwarding no"], programs: { relay: "#!/bin/sh\nexec cat\n" } });
    const streams = [];
    for (let index = 0; index < 9; index++) streams.push(await dial({ relayCommand: "relay" }));
    expect(streams.map(({ via }) => via)).toEqual(streams.map(() => "command"));
    await expect(dial({ relayCommand: "relay" })).rejects.toMatchObject({
      code: "CONNECTION_REFUSED",
      hint: expect.stringContaining("AllowStreamLocalForwarding"),
    });
    expect(await server.connectionCount()).toBe(1);
    for (const { stream, closed } of streams) {
      stream.destroy();
      await closed;
    }
    (await dial({ relayCommand: "relay" })).stream.destroy();
  });

  test("a server that allows fewer sessions is named", async () => {
    const { dial } = await setUp({ config: ["AllowStreamLocalForwarding no", "MaxSessions 1"], programs: { relay: "#!/bin/sh\nexec cat\n" } });
    const dialled = await Promise.allSettled([dial({ relayCommand: "relay" }), dial({ relayCommand: "relay" })]);
    const refused = dialled.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as unknown);
    expect(refused[0]).toMatchObject({ code: "CONNECTION_REFUSED", hint: expect.stringContaining("MaxSessions") });
    for (const outcome of dialled) if (outcome.status === "fulfilled") outcome.value.stream.destroy();
  });

  test("an ssh that logs nothing of its channels works, too", async () => {
    const { server, engine } = await setUp();
    const env = await shimSsh(server, 'case " $* " in *" -G "*) echo "OpenSSH_8.2p1 Ubuntu-4" >&2; exec ssh "$@" 2>/dev/null ;; esac');
    const connections = createSshConnections({ configFile: server.configFile, env, idleMs: 20 });
    expect(await source(connections.dial({ host: server.host }, { remotePath: engine.address, relayCommand: "false" }))).toBe("1\n2\n3");
  });

  test("what ssh was asked before a dial isn't asked again by it; the next one asks anew", async () => {
    const { server, engine } = await setUp();
    const questions = join(server.folder, "questions");
    const env = await shimSsh(server, `case " $* " in *" -G "*) echo asked >>'${questions}' ;; esac`);
    const connections = createSshConnections({ configFile: server.configFile, env, idleMs: 0 });
    const dial = () => connections.dial({ host: server.host }, { remotePath: engine.address, relayCommand: "false" });
    const asked = async () => (await readFile(questions, "utf8")).trim().split("\n").length;
    expect(await connections.check({ host: server.host }, {})).toBe(`127.0.0.1:${server.port}`);
    expect(await source(dial())).toBe("1\n2\n3");
    expect(await asked()).toBe(1);
    await vi.waitFor(async () => expect(await server.connectionCount()).toBe(0), { timeout: 60_000 });
    expect(await source(dial())).toBe("1\n2\n3");
    expect(await asked()).toBe(2);
  });

  test("ssh ends when this process is killed", async () => {
    const { server, engine } = await setUp();
    const script = `
      const { createSshConnections } = await import(${JSON.stringify(join(import.meta.dirname, "index.ts"))});
      const connections = createSshConnections({ configFile: ${JSON.stringify(server.configFile)} });
      await connections.dial({ host: ${JSON.stringify(server.host)} }, { remotePath: ${JSON.stringify(engine.address)}, relayCommand: "false" });
      process.stdout.write("dialled");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    expect(await server.connectionCount()).toBe(1);
    child.kill("SIGKILL");
    await vi.waitFor(async () => expect((await server.connectionCount()) + (await foldersLeft())).toBe(0), { timeout: 60_000 });
  });
});

/** The environment in which a line of shell stands before ssh. */
async function shimSsh(server: SshServer, line: string): Promise<NodeJS.ProcessEnv> {
  const bin = await mkdtemp(join(server.folder, "bin-"));
  await writeFile(join(bin, "ssh"), `#!/bin/sh\nPATH=\${PATH#*:}\n${line}\nexec ssh "$@"\n`, { mode: 0o755 });
  return { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
}

type Dial = (
  options?: Partial<Parameters<ReturnType<typeof createSshConnections>["dial"]>[1]>,
  host?: { readonly host: string },
) => ReturnType<ReturnType<typeof createSshConnections>["dial"]>;

async function setUp(
  options: SshServerOptions = {},
  settings: SshConnectionsSettings = {},
): Promise<{ readonly server: SshServer; readonly engine: ConformanceServer; readonly dial: Dial }> {
  const server = await startSshServer(options);
  const engine = await startConformanceServer({ path: join(server.folder, "engine.sock") });
  cleanups.push(
    () => server.kill(),
    () => engine.kill(),
  );
  // Other tests run beside these and make folders, too.
  vi.stubEnv("TMPDIR", server.folder);
  const connections = createSshConnections({ configFile: server.configFile, idleMs: 20, ...settings });
  return {
    server,
    engine,
    dial: (more = {}, host = { host: server.host }) => connections.dial(host, { remotePath: engine.address, relayCommand: "false", ...more }),
  };
}

async function source(dialled: ReturnType<Dial>): Promise<string> {
  const { stream } = await dialled;
  stream.write("SOURCE 5\n");
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** Folders for sockets that were made since `setUp`. */
async function foldersLeft(): Promise<number> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("anyrunner-ssh-")).length;
}
