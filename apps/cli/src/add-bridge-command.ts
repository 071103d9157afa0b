import type { Command } from "commander";

import type { AddCommand } from "./add-runner-commands.ts";

/** The command that makes a runner a local endpoint. What it does is loaded when it is called. */
export function addBridgeCommand(program: Command, add: AddCommand): Command {
  const command = add(program, "bridge", "make a runner a local endpoint for official clients", async (context, values, args) => {
    const [{ bridgeCommand }, { parseDuration }] = await Promise.all([import("./commands/bridge.ts"), import("./parse-duration.ts")]);
    return bridgeCommand(context, {
      runner: text(values["runner"]),
      listen: text(values["listen"]),
      certs: text(values["certs"]),
      insecureTcp: values["insecureTcp"] === true,
      exec: values["exec"] === true,
      command: args,
      shell: text(values["shell"]),
      cleanupTimeoutMs: parseDuration(String(values["cleanupTimeout"]), "--cleanup-timeout"),
    });
  });
  return command
    .argument("[command...]", "with --exec: the program and its arguments, behind --")
    .allowExcessArguments(true)
    .option("--listen <url>", "where: unix:///path, tcp://127.0.0.1:port or tls://host:port (default: a socket in a folder of its own)")
    .option("--certs <folder>", "for tls://: certificates as `anyrunner certs create` makes them; clients must have theirs")
    .option("--insecure-tcp", "let every user and program of this machine use the engine: plain TCP on a loopback address")
    .option("--exec", "run a command with the bridge as its runner, and end with it")
    .option("--shell <name>", "whose syntax: bash, zsh, fish or powershell (default: by SHELL)")
    .option("--cleanup-timeout <duration>", "how long the command may take to end when interrupted, before it is killed", "10s")
    .passThroughOptions();
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
