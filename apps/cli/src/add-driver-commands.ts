import type { Command } from "commander";

import type { AddCommand } from "./add-runner-commands.ts";

/** The commands that look after drivers. What they do is loaded when one is called. */
export function addDriverCommands(program: Command, add: AddCommand): void {
  const drivers = add(program, "drivers", "list the drivers, what they can do, their schemes and parameters", async (context, values, [name]) =>
    (await import("./commands/drivers.ts")).driversCommand(context, { name, check: values["check"] === true }),
  )
    .argument("[name]", "show this one only: its name, its package or one of its schemes")
    .option("--check", "import the drivers of the project, too: whether they load, and their parameters");
  add(drivers, "trust", "let a driver of a project run, as it is now", async (context, _, [path = ""]) =>
    (await import("./commands/manage-drivers.ts")).trustCommand(context, path),
  ).argument("<path>", "the file of the driver, or the folder of its package");
  add(drivers, "add", "install a driver for this user, and let it run", async (context, _, [name = ""]) =>
    (await import("./commands/manage-drivers.ts")).addCommand(context, name),
  ).argument("<name>", "its name (kubernetes) or its package (anyrunner-driver-foo), and if need be a version: foo@1.2.3");
  add(drivers, "rm", "remove a driver that was added", async (context, _, [name = ""]) =>
    (await import("./commands/manage-drivers.ts")).removeCommand(context, name),
  ).argument("<name>", "its name or its package");
}
