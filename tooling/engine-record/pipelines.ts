import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { spawnProgram, type SpawnedProgram } from "@anyrunner/exec";
import { freePort, startSshServer } from "@anyrunner/testkit";

import { run, tryToRun } from "../run.ts";
import { REPOSITORY } from "../workspace-packages.ts";

/**
 * Runs examples/hello with the official SDK on a Dagger engine and on the embedded runner, each made from its image by docker-image:// and podman-image://, and each reached over ssh:// and
 * tls://. Prints a table. What it makes it removes.
 *
 * Usage, after `pnpm run build`: node tooling/engine-record/pipelines.ts
 * RECORD_ENGINE_IMAGE and RECORD_EMBEDDED_IMAGE (`anyrunner embedded build-image`) are in Docker, and as localhost/… in Podman. RECORD_ENGINE_SOCKET is the socket of an engine that runs.
 * Needs sshd, openssl, socat.
 */
const need = (name: string) => process.env[name] ?? fail(`set ${name}`);
const images = { engine: need("RECORD_ENGINE_IMAGE"), embedded: need("RECORD_EMBEDDED_IMAGE") };
const cli = path.join(REPOSITORY, "apps/cli/dist/bin.js");
const scratch = mkdtempSync(path.join(tmpdir(), "pipelines-"));
const sockets = { engine: need("RECORD_ENGINE_SOCKET"), embedded: path.join(scratch, "embedded.sock") };
const programs: SpawnedProgram[] = [];
const made: { readonly runtime: string; readonly name: string }[] = [];
try {
  await using server = await startSshServer();
  const ssh = wrapSsh(server.configFile);
  await start("node", [cli, "embedded", "serve", "--listen", `unix://${sockets.embedded}`, "--state", path.join(scratch, "state")]);
  await existing(sockets.embedded);
  const certificates = path.join(scratch, "certificates");
  run("node", [cli, "certs", "create", certificates, "--host", "127.0.0.1"]);
  console.log("| runner | a Dagger engine | the embedded runner |\n| --- | --- | --- |");
  await row("`docker-image://IMAGE`, new", (kind) => imageUrl("docker", images[kind], kind));
  await row("`podman-image://IMAGE`, new", (kind) => imageUrl("podman", `localhost/${images[kind]}`, kind));
  await row("`ssh://HOST/SOCKET`", (kind) => `ssh://${server.host}${sockets[kind]}`, ssh);
  await row("`tls://HOST:PORT`, client certificate", (kind) => tlsUrl(certificates, sockets[kind]));
} finally {
  for (const program of programs) await program.end();
  for (const { runtime, name } of made)
    for (const argv of [
      ["rm", "--force", name],
      ["volume", "rm", name],
    ])
      tryToRun(runtime, argv);
  rmSync(scratch, { recursive: true, force: true });
}

type Kind = keyof typeof images;

async function row(shown: string, urlOf: (kind: Kind) => string | Promise<string>, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const cells: string[] = [];
  for (const kind of ["engine", "embedded"] as const) {
    const url = await urlOf(kind);
    const began = performance.now();
    const { exitCode, stdout, stderr } = tryToRun("node", [cli, "run", "--quiet", "--runner", url, "--", "node", "main.ts"], {
      cwd: path.join(REPOSITORY, "examples/hello"),
      env,
    });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    cells.push(exitCode === 0 ? `${/Hello from a container: \w+/.exec(stdout)?.[0] ?? stdout}, ${seconds} s` : `failed: ${stderr}`);
  }
  console.log(`| ${shown} | ${cells.join(" | ")} |`);
}

/** The embedded runner's container uses the machine's Docker. */
function imageUrl(runtime: "docker" | "podman", image: string, kind: Kind): string {
  const name = `anyrunner-record-${runtime}-${kind}`;
  made.push({ runtime, name });
  const mount = kind === "embedded" ? "&mount=/var/run/docker.sock:/var/run/docker.sock" : "";
  return `${runtime}-image://${image}?container=${name}&volume=${name}&pull=never&config=none&ca=none${mount}`;
}

async function tlsUrl(folder: string, socket: string): Promise<string> {
  const port = await freePort();
  const at = (name: string) => path.join(folder, name);
  const listen = `OPENSSL-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,cafile=${at("ca.pem")},cert=${at("server.pem")},verify=1`;
  await start("socat", [listen, `UNIX-CONNECT:${socket}`]);
  await delay(500);
  return `tls://127.0.0.1:${port}?ca_path=${at("ca.pem")}&cert_path=${at("client.pem")}&key_path=${at("client.pem")}`;
}

/** ssh reads the home of the user database, whatever HOME says. */
function wrapSsh(configFile: string): NodeJS.ProcessEnv {
  writeFileSync(path.join(scratch, "ssh"), `#!/bin/sh\nPATH=\${PATH#*:}\nexec ssh -F '${configFile}' "$@"\n`, { mode: 0o755 });
  return { ...process.env, PATH: `${scratch}:${process.env["PATH"]}` };
}

async function start(command: string, args: readonly string[]): Promise<void> {
  programs.push(await spawnProgram({ command, args, stdio: "ignore" }));
}

async function existing(file: string): Promise<void> {
  while (!existsSync(file)) await delay(100);
}

function fail(message: string): never {
  throw new Error(message);
}
