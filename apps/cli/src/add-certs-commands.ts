import type { Command } from "commander";

import type { AddCommand } from "./add-runner-commands.ts";

const FOLDER = "<folder>";
const FOLDER_HELP = "where the certificates lie";

/** The commands that make the certificates of `tls://`. What they do is loaded when one is called. */
export function addCertsCommands(program: Command, add: AddCommand): void {
  const certs = program
    .command("certs")
    .description("certificates for engines behind tls://")
    .action(() => certs.help());
  const hosts = (command: Command, help: string) =>
    command.option("--host <name>", help, (value: string, all: readonly string[] | undefined) => [...(all ?? []), value]);
  const days = (command: Command) => command.option("--days <number>", "how long the certificates of server and client are valid (default: 365)");

  const create = add(certs, "create", "make an authority, and certificates for one server and its clients", async (context, values, [folder = ""]) =>
    (await import("./commands/certs.ts")).certsCreateCommand(context, { folder, ...read(values) }),
  ).argument(FOLDER, FOLDER_HELP);
  days(hosts(create, "a name or an address under which the server is reached; repeatable"));

  add(certs, "show", "show what a folder of certificates holds, and for how long", async (context, _, [folder = ""]) =>
    (await import("./commands/certs.ts")).certsShowCommand(context, { folder }),
  ).argument(FOLDER, FOLDER_HELP);

  const rotate = add(certs, "rotate", "renew the certificates of server and client", async (context, values, [folder = ""]) =>
    (await import("./commands/certs.ts")).certsRotateCommand(context, { folder, authority: values["authority"] === true, ...read(values) }),
  ).argument(FOLDER, FOLDER_HELP);
  days(hosts(rotate, "a name or an address of the server; repeatable (default: those that it has)")).option(
    "--authority",
    "renew the authority, too; the one before stays trusted beside it",
  );
}

function read(values: Readonly<Record<string, unknown>>): { readonly hosts: readonly string[]; readonly days: string | undefined } {
  const { host, days } = values;
  return { hosts: Array.isArray(host) ? host.map(String) : [], days: typeof days === "string" ? days : undefined };
}
