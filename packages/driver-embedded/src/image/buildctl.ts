#!/usr/bin/node
// `buildctl dial-stdio` of the runner's image: what clients start in the container to reach the engine (docker-container://).
import { connect } from "node:net";

const DEFAULT_ADDRESS = "unix:///run/buildkit/buildkitd.sock";
const CONNECT_BUDGET_MS = 5000;

const { address, command } = parseArguments(process.argv.slice(2));
if (command !== "dial-stdio") fail(`buildctl: this runner knows dial-stdio alone, not ${command ?? "nothing"}`, 2);
dial(address);

/** Standard input ends: the engine is told so and its answer still comes. The engine ends: so does this. */
function dial(target: string): void {
  const path = /^unix:\/\/(.+)$/.exec(target)?.[1];
  const [, host = "", port = ""] = /^tcp:\/\/(\[[^\]]+\]|[^:/]+):(\d+)$/.exec(target) ?? [];
  if (path === undefined && host === "") fail(`buildctl: ${target} is no address`, 2);
  const socket = connect(path === undefined ? { host: host.replace(/^\[|\]$/g, ""), port: Number(port), allowHalfOpen: true } : { path, allowHalfOpen: true });
  const budget = setTimeout(() => fail(`buildctl: ${target} did not answer within ${CONNECT_BUDGET_MS} ms`, 1), CONNECT_BUDGET_MS);
  socket.setNoDelay(true);
  socket.once("connect", () => {
    clearTimeout(budget);
    process.stdin.pipe(socket);
    socket.pipe(process.stdout, { end: false });
  });
  socket.once("error", (error) => fail(`buildctl: ${target}: ${error.message}`, 1));
  socket.once("end", () => process.stdout.write("", () => process.exit(0)));
  process.stdin.once("error", () => socket.destroy());
  process.stdout.once("error", () => process.exit(1));
}

function parseArguments(args: readonly string[]): { readonly address: string; readonly command: string | undefined } {
  let address = process.env["BUILDKIT_HOST"] || DEFAULT_ADDRESS;
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] as string;
    if (argument === "--addr") address = args[++index] ?? "";
    else if (argument.startsWith("--addr=")) address = argument.slice("--addr=".length);
    else words.push(argument);
  }
  return { address, command: words[0] };
}

function fail(message: string, code: number): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
