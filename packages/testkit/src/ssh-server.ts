import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { freePort } from "./free-port.ts";

/** What its sshd, the programs on it and its client are told besides what each needs. */
export interface SshServerOptions {
  /** Lines of its sshd_config that come before all others, and so win. */
  readonly config?: readonly string[];
  /** Programs that its users find on PATH before all others, as shell scripts. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Lines for its host in the client's configuration, which win likewise. */
  readonly clientConfig?: readonly string[];
}

/** A real sshd on 127.0.0.1 that lets one key of the same user in. */
export interface SshServer extends AsyncDisposable {
  /** Name of the host in `configFile`. */
  readonly host: string;
  /** A configuration of ssh with port, key and known host key. */
  readonly configFile: string;
  /** Where keys and known hosts lie; for sockets of tests, too. */
  readonly folder: string;
  readonly port: number;
  /** Logged-in or waiting connections. */
  connectionCount(): Promise<number>;
  /** What it wrote to its log. */
  log(): string;
  /** Gives it another host key and starts it again; the client's known hosts stay as they are. */
  changeHostKey(): Promise<void>;
  /** Kills it with all connections, as a crash of the machine would; `start` brings it back. Both may be called more than once. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it for good and removes its folder. */
  kill(): Promise<void>;
}

/** Set to `skip` where no sshd can be had; else a missing one fails the test. */
export const SSH_TESTS_SKIPPED = process.env["ANYRUNNER_TEST_SSH"] === "skip";

/** Name and version of the machine's ssh, for reports. */
export async function sshVersion(): Promise<string> {
  const { stderr } = await promisify(execFile)("ssh", ["-V"]);
  return stderr.split(/[ ,]/, 1).join().replace("_", " ");
}

const HOST = "anyrunner-test-host";

/** Starts a server. Throws, with the command that installs it, when there is no sshd. */
export async function startSshServer({ config = [], clientConfig = [], programs = {} }: SshServerOptions = {}): Promise<SshServer> {
  const program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd", "/opt/homebrew/sbin/sshd"].find((path) => existsSync(path));
  if (program === undefined) throw new Error("there is no sshd; install it (apt-get install -y openssh-server), or set ANYRUNNER_TEST_SSH=skip");
  const { username, uid } = userInfo();
  // Where sshd runs as root it locks itself up in there, and Debian's service would have made it.
  if (uid === 0) await mkdir("/run/sshd", { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-sshd-"));
  const at = (name: string) => join(folder, name);
  const port = await freePort();
  await Promise.all(["host", "id"].map((name) => generateKey(at(name))));
  const [hostKey, key] = await Promise.all(["host.pub", "id.pub"].map((name) => readFile(at(name), "utf8")));
  await writeFile(at("authorized_keys"), key as string, { mode: 0o600 });
  await writeFile(at("known_hosts"), `[127.0.0.1]:${port} ${hostKey}`);
  await mkdir(at("bin"));
  for (const [name, script] of Object.entries(programs)) await writeFile(at(`bin/${name}`), script, { mode: 0o755 });
  await writeFile(
    at("sshd_config"),
    [
      ...config,
      // A home without start-up files: what those of this machine's user do would be part of each test.
      `SetEnv PATH=${at("bin")}:/usr/bin:/bin HOME=${folder}`,
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${at("host")}`,
      `AuthorizedKeysFile ${at("authorized_keys")}`,
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "",
    ].join("\n"),
  );
  const client = [`HostName 127.0.0.1`, `Port ${port}`, `User ${username}`, `IdentityFile ${at("id")}`, "IdentitiesOnly yes", "IdentityAgent none"];
  await writeFile(
    at("config"),
    [`Host ${HOST}`, ...clientConfig, ...client, `UserKnownHostsFile ${at("known_hosts")}`, "GlobalKnownHostsFile /dev/null", ""].join("\n"),
  );

  const running: { child: ChildProcess | undefined; log: string } = { child: undefined, log: "" };
  const start = async () => {
    if (running.child === undefined) await startDaemon(program, at("sshd_config"), running);
  };
  const stop = () => stopDaemon(running);
  await start();
  const kill = async () => {
    await stop();
    // Clients have their sockets there, and clear them away at the same time.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  return {
    host: HOST,
    configFile: at("config"),
    folder,
    port,
    connectionCount: async () => (await childrenOf(running.child?.pid)).length,
    log: () => running.log,
    async changeHostKey() {
      await stop();
      await Promise.all(["host", "host.pub"].map((name) => rm(at(name))));
      await generateKey(at("host"));
      await start();
    },
    stop,
    start,
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

async function startDaemon(program: string, configFile: string, running: { child: ChildProcess | undefined; log: string }): Promise<void> {
  const child = spawn(program, ["-D", "-e", "-f", configFile], { stdio: ["ignore", "ignore", "pipe"] });
  running.child = child;
  running.log = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      running.log += chunk.toString("utf8");
      if (running.log.includes("Server listening")) resolve();
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`sshd ended: ${running.log}`)));
  });
}

async function stopDaemon(running: { child: ChildProcess | undefined }): Promise<void> {
  const { child } = running;
  running.child = undefined;
  if (child?.pid === undefined) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  // Connections are processes with a session of their own.
  const all = await descendantsOf(child.pid);
  child.kill("SIGKILL");
  for (const pid of all) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  await ended;
}

async function descendantsOf(pid: number): Promise<readonly number[]> {
  const children = await childrenOf(pid);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}

async function childrenOf(pid: number | undefined): Promise<readonly number[]> {
  if (pid === undefined) return [];
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text
    .split(" ")
    .filter((id) => id !== "")
    .map(Number);
}

async function generateKey(path: string): Promise<void> {
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
}
