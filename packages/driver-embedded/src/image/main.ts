// The program of the runner's container image: the embedded runner behind sockets, on the container engine of DOCKER_HOST or
// of the mounted /var/run/docker.sock.
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

import { RunnerError } from "@anyrunner/core/driver";
import { resolveDockerEndpoint } from "@anyrunner/docker-endpoint";

import { createEmbeddedEngine } from "../engine.ts";
import { createDockerExecutor } from "../executor/docker-executor.ts";
import { listenFor, parseListenAddress } from "./listen.ts";

/** Where clients of the official engine look, and where its older ones did. */
const ADDRESSES = ["unix:///run/dagger/engine.sock", "unix:///run/buildkit/buildkitd.sock"];
/** The folder in which the official engine keeps its state, so a volume for that one fits. */
const STATE = "/var/lib/dagger/anyrunner";

/** `--debug` and `--debugaddr` are for the official engine: whoever makes engines gives them to every image. */
const OPTIONS = {
  addr: { type: "string", multiple: true, default: [] as string[] },
  state: { type: "string", default: STATE },
  debug: { type: "boolean" },
  debugaddr: { type: "string" },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const addresses = [...new Set([...ADDRESSES, ...values.addr])].map(parseListenAddress);
  const executor = createDockerExecutor({ endpoint: await resolveDockerEndpoint({ env: process.env }) });
  const { engine: kind, version } = await executor.probe({});
  const engine = createEmbeddedEngine({ executor, state: values.state, name: hostname() });
  const listeners = await Promise.all(
    addresses.map(async (address) => {
      if ("path" in address) await mkdir(dirname(address.path), { recursive: true });
      return listenFor(address, (socket) => engine.serve(socket));
    }),
  );
  process.stderr.write(`anyrunner on ${kind} ${version} listens on ${listeners.map(({ url }) => url).join(", ")}\n`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await Promise.all(listeners.map((listener) => listener.close()));
    await engine.close();
    process.exit(0);
  };
  // As process 1 nothing ends it by default.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
}

main().catch((error: unknown) => {
  const { message, hint } = RunnerError.from(error, "USAGE");
  process.stderr.write(`anyrunner: ${message}\n${hint === undefined ? "" : `  ${hint}\n`}`);
  process.exit(1);
});
