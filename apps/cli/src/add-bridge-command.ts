import type { Command } from "commander";

import type { AddCommand } from "./add-runner-commands.ts";

/** The command that makes a runner a local endpoint. What it does is loaded when it is called. */
export function addBridgeCommand(program: Command, add: AddCommand): Command {
  const command = add(program, "bridge", "make a runner a local endpoint for official clients", async (context, values, args) => {
    const address = text(values["stop"]);
    if (address !== undefined) return (await import("./commands/stop-bridge.ts")).stopBridgeCommand(context, { address, command: args });
    const [{ bridgeCommand }, { parseDuration }] = await Promise.all([import("./commands/bridge.ts"), import("./parse-duration.ts")]);
    const options = {
      runner: text(values["runner"]),
      listen: text(values["listen"]),
      certs: text(values["certs"]),
      insecureTcp: values["insecureTcp"] === true,
      exec: values["exec"] === true,
      remove: values["rm"] === true,
      command: args,
      shell: text(values["shell"]),
      cleanupTimeoutMs: parseDuration(String(values["cleanupTimeout"]), "--cleanup-timeout"),
    };
    const logFile = text(values["logFile"]);
    if (values["detach"] !== true && logFile === undefined) return bridgeCommand(context, options);
    return (await import("./commands/detach-bridge.ts")).detachBridgeCommand(context, { ...options, logFile, detach: values["detach"] === true });
  });
  return command
    .argument("[command...]", "with --exec: the program and its arguments, behind --")
    .allowExcessArguments(true)
    .option("--listen <url>", "where: unix:///path, tcp://127.0.0.1:port or tls://host:port (default: a socket in a folder of its own)")
    .option("--certs <folder>", "for tls://: certificates as `anyrunner certs create` makes them; clients must have theirs")
    .option("--insecure-tcp", "let every user and program of this machine use the engine: plain TCP on a loopback address")
    .option("--exec", "run a command with the bridge as its runner, and end with it")
    .option("--detach", "go on in the background, once it serves; --stop ends it")
    .option("--log-file <file>", "with --detach: where it writes to")
    .option("--stop <address>", "end the bridge that serves this address, and wait until it has")
    .option("--rm", "in the end, remove the engine, if this bridge has started it and nobody else uses it; its cache stays")
    .option("--shell <name>", "whose syntax: bash, zsh, fish or powershell (default: by SHELL)")
    .option("--cleanup-timeout <duration>", "how long the command may take to end when interrupted, before it is killed", "10s")
    .passThroughOptions();
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
