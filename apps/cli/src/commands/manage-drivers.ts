import { openUserStore } from "@anyrunner/config";
import { addDriver, installWithNpm, removeDriver, trustDriver } from "@anyrunner/drivers";
import { resolve } from "node:path";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";

/** Lets a driver that a project names run, by its file or its folder: the consent that only the user can give. */
export async function trustCommand(context: CommandContext, place: string): Promise<number> {
  const store = openUserStore({ env: context.env });
  const { path, fileCount } = await trustDriver(resolve(context.cwd, place), store);
  const files = fileCount === 1 ? "1 file" : `${fileCount} files`;
  context.note(`${path} may run as a driver, as it is now (${files}; remembered in ${store.file})`);
  return EXIT.success;
}

/** Installs a driver into the user's driver folder, which is the user's consent to it. */
export async function addCommand(context: CommandContext, name: string): Promise<number> {
  const { env } = context;
  const store = openUserStore({ env });
  const { driver, replaced, schemes } = await addDriver({ name, env, store, install: installWithNpm(env) });
  const facts = { package: driver.package, version: driver.version, integrity: driver.integrity, schemes, path: driver.path };
  if (context.json) context.print(JSON.stringify(facts, undefined, 2));
  const was = replaced === undefined || replaced === driver.version ? "" : ` (it was ${replaced})`;
  context.note(`${driver.package} ${driver.version}${was} may run as the driver of ${schemes.map((scheme) => `${scheme}://`).join(", ")}, as it is now`);
  context.note(`${driver.integrity}, in ${driver.path}; remembered in ${store.file}`);
  return EXIT.success;
}

/** Removes a driver from the user's driver folder, with the consent to it. */
export async function removeCommand(context: CommandContext, name: string): Promise<number> {
  const { env } = context;
  context.note(`${await removeDriver({ name, env, store: openUserStore({ env }) })} is removed`);
  return EXIT.success;
}
