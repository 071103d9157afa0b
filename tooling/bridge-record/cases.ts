import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import { freePort } from "@anyrunner/testkit";

import { speakTo } from "../engine-record/interactive/pipe.ts";
import { workInTerminal } from "../engine-record/interactive/terminal.ts";
import { official, start, type Place } from "./client.ts";

/** One thing that a client does; what it resolves with must be the same straight and through a bridge. */
export type Case = (place: Place) => Promise<string>;

const ROOT = ["--root", "./rootfs"];

export const CASES: Readonly<Record<string, Case>> = {
  core: (place) => official(place, ["core", "version"]),
  query: (place) => official(place, ["query"], "{ container { defaultArgs } defaultPlatform }"),
  "query with an error": (place) => official(place, ["query"], "{ nothing }"),
  call: (place) => official(place, ["call", "hello", "--name", "bridge"]),
  "call with a directory and a process": (place) => official(place, ["call", "run", ...ROOT, "--text", "ran"]),
  "call that fails": (place) => official(place, ["call", "fails", ...ROOT]),
  "two clients at once": async (place) =>
    (await Promise.all(["one", "two"].map((name) => official(place, ["call", "run", ...ROOT, "--text", name])))).join(" "),
  up: serviceUp,
  "a service of the host": hostService,
  "mcp, the engine's pipe": async (place) => JSON.stringify(await speakTo(start(place, ["mcp", "--env-privileged"]))),
  terminal,
  "a client that is interrupted": interrupted,
};

/** What needs no module, for engines that interpret none by themselves, and a CLI that was built with its interactive view. */
export const CASES_WITHOUT_MODULE: Readonly<Record<string, Case>> = {
  core: (place) => official(place, ["core", "version"]),
  query: (place) => official(place, ["query"], "{ container { defaultArgs } defaultPlatform }"),
  "query with an error": (place) => official(place, ["query"], "{ nothing }"),
  "two clients at once": async (place) => (await Promise.all(["one", "two"].map((name) => official(place, ["query"], runsEcho(name))))).join(" "),
  "the official terminal": async ({ program, runnerHost, cwd }) =>
    JSON.stringify(
      await workInTerminal([program, "query", "--doc", `${cwd}/terminal.graphql`], {
        cwd,
        env: { _EXPERIMENTAL_DAGGER_RUNNER_HOST: runnerHost, DAGGER_NO_NAG: "1", DO_NOT_TRACK: "1" },
      }),
    ),
};

function runsEcho(text: string): string {
  return `{ host { directory(path: ".") { dockerBuild { withExec(args: ["echo", "${text}"]) { stdout } } } } }`;
}

/** Brings the service up on a port of the host, and fetches its page. */
async function serviceUp(place: Place): Promise<string> {
  const port = await freePort();
  const child = start(place, ["call", "web", ...ROOT, "up", "--ports", `${port}:8080`]);
  const exited = once(child, "exit");
  child.stdout.resume();
  child.stderr.resume();
  const page = await fetchWhenUp(`http://127.0.0.1:${port}/page`);
  child.kill("SIGINT");
  await exited;
  const after = await fetch(`http://127.0.0.1:${port}/page`).then(
    () => "still open",
    () => "closed",
  );
  return `${page}, then ${after}`;
}

/** A container fetches a page from a server of this machine. */
async function hostService(place: Place): Promise<string> {
  const server = createServer((_, response) => response.end("from this machine")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    return await official(place, ["call", "fetch", ...ROOT, "--service", `tcp://127.0.0.1:${port}`, "--mark", String(port)]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** A shell in a container, on a pseudo-terminal, with our client: the official one needs its interactive view for it. */
async function terminal({ runnerHost, cwd }: Place): Promise<string> {
  const program = `${process.execPath} ${new URL("../../apps/cli/src/bin.ts", import.meta.url).pathname}`;
  const ask = `${program} query --silent --runner '${runnerHost}' --doc ${cwd}/terminal.graphql`;
  const child = spawn("script", ["-qec", `stty cols 99 rows 33; ${ask}`, "/dev/null"], { cwd, stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (output: string) => (seen += output));
  const prompted = async (after: string) => {
    for (let attempt = 0; attempt < 600; attempt++) {
      if (/[#$] (\u001b\[6n)?$/.test(seen) && seen.includes(after)) return;
      await delay(100);
    }
    child.kill();
    throw new Error(`no prompt in ${JSON.stringify(seen)}`);
  };
  await prompted("");
  child.stdin.write("stty size; echo $((6*7))\r");
  await prompted("42");
  child.stdin.end("exit 3\r");
  await closed;
  return ["33 99", "42"].map((word) => (seen.includes(word) ? word : `no ${word} in ${JSON.stringify(seen)}`)).join(", ");
}

/** Told to end in the middle of a long process, the client ends, and so does its session. */
async function interrupted(place: Place): Promise<string> {
  const child = start(place, ["call", "slow", ...ROOT, "--mark", String(Date.now())]);
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stdout.resume();
  while (!said.includes("sleep 40")) await Promise.race([delay(100), exited.then(() => Promise.reject(new Error(`it ended: ${said}`)))]);
  child.kill("SIGINT");
  const [code] = await exited;
  return `exit ${code === 0 ? 0 : "not 0"}`;
}

async function fetchWhenUp(url: string): Promise<string> {
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      return await (await fetch(url)).text();
    } catch {
      await delay(100);
    }
  }
  throw new Error(`nothing answers at ${url}`);
}
