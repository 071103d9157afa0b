/**
 * What the command does in the life of a real engine, for docs/engines/life-cycle.md:
 *
 *     node tooling/life-cycle-record/record.ts IMAGE ROOTFS
 *
 * IMAGE is an engine's image that the Docker daemon has, ROOTFS a folder with a shell for containers. Makes an engine of its own, and
 * removes it with its volume.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const [image = "registry.dagger.io/engine:v0.21.8", rootfs = ""] = process.argv.slice(2);
const CLI = join(import.meta.dirname, "..", "..", "apps", "cli", "src", "bin.ts");
const NAME = `anyrunner-test-life-${process.pid}`;
const URL_TEXT = `docker-image://${image}?container=${NAME}&config=none&idle=1m`;
const home = await mkdtemp(join(tmpdir(), "anyrunner-life-"));
const env = { PATH: process.env["PATH"], HOME: home, DAGGER_NO_NAG: "1" };

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

function run(command: string, args: readonly string[], input = ""): Promise<Result> {
  const started = performance.now();
  const child = spawn(command, args, { env, cwd: home, stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out: out.trim(), err: err.trim(), ms: performance.now() - started })));
}
const anyrunner = (args: readonly string[], input?: string) => run(process.execPath, [CLI, ...args], input);
const docker = (...args: readonly string[]) => run("docker", args);

/** Asks through the session in its environment; the second query has the id that the first one gave. */
const STEP = `
const ask = async (query) => {
  const authorization = "Basic " + Buffer.from(process.env.DAGGER_SESSION_TOKEN + ":").toString("base64");
  const answer = await fetch("http://127.0.0.1:" + process.env.DAGGER_SESSION_PORT + "/query", { method: "POST", headers: { authorization, "content-type": "application/json" }, body: JSON.stringify({ query }) });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors[0].message);
  return data;
};
const [rootfs, seconds] = process.argv.slice(1);
const id = (await ask("{host{directory(path:" + JSON.stringify(rootfs) + "){id}}}")).host.directory.id;
const args = JSON.stringify(["/bin/sh", "-c", "sleep " + seconds + "; date +%s.%N"]);
console.log((await ask("{container{withRootfs(directory:" + JSON.stringify(id) + "){withExec(args:" + args + "){stdout}}}}")).container.withRootfs.withExec.stdout.trim());
`;

/** A step that takes so many seconds and prints when it ended: the same text again means that it was not executed again. */
const step = (seconds: number) => anyrunner(["run", "--runner", URL_TEXT, "--", process.execPath, "--input-type=module", "-e", STEP, rootfs, String(seconds)]);

function show(title: string, { code, out, err, ms }: Result, note = ""): void {
  console.log(
    `\n### ${title}\n\nexit code ${code}, ${(ms / 1000).toFixed(1)} s${note}\n\n\`\`\`\n${[err, out].filter((text) => text !== "").join("\n")}\n\`\`\``,
  );
}

try {
  console.log(
    `${new Date().toISOString()} · ${(await docker("inspect", "-f", "{{.Id}}", image)).out} · Docker ${(await docker("version", "-f", "{{.Server.Version}}")).out}`,
  );
  const start = await anyrunner(["start", URL_TEXT]);
  show("start", start);
  const running = step(60);
  await delay(8000);
  const stopping = anyrunner(["stop", NAME]);
  while ((await docker("inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", NAME)).out !== "on-failure") await delay(200);
  show("a new session while stop waits", await anyrunner(["query", "--runner", URL_TEXT], "{version}"));
  const [ran, stopped] = await Promise.all([running, stopping]);
  show("the 60 s step", ran, `, printed ${ran.out}`);
  show("stop", stopped);
  show("start again", await anyrunner(["start", NAME]));
  const again = await step(60);
  show("the same step again", again, `, printed ${again.out}: ${again.out === ran.out ? "not executed" : "EXECUTED AGAIN"}`);
  const pid = (await docker("inspect", "-f", "{{.State.Pid}}", NAME)).out;
  const children = (await run("ps", ["-o", "pid=,comm=", "--ppid", pid])).out;
  const engine = /(\d+) dagger-engine/.exec(children)?.[1] ?? pid;
  await run("kill", ["-9", engine]);
  await delay(6000);
  show("the next run after kill -9 of the engine, which its daemon has started again", await anyrunner(["query", "--runner", URL_TEXT], "{version}"));
  show("one more run", await anyrunner(["query", "--runner", URL_TEXT], "{version}"));
  show("ls", await anyrunner(["ls"]));
  for (let waited = 0; waited < 180 && (await docker("inspect", "-f", "{{.State.Running}}", NAME)).out === "true"; waited += 5) await delay(5000);
  show("nobody uses it for a minute (idle=1m)", await run("cat", [join(home, ".local/state/anyrunner/reaper.log")]));
  show("ls", await anyrunner(["ls"]));
  show("rm --volume", await anyrunner(["rm", NAME, "--volume"]));
} finally {
  await docker("rm", "-f", "-v", NAME);
  await docker("volume", "rm", "-f", NAME);
  await rm(home, { recursive: true, force: true });
}
