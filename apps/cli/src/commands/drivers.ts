import { loadProjectConfig, openUserStore } from "@anyrunner/config";
import { RunnerError, type DriverEntry, type OptionSpec, type Registry } from "@anyrunner/core";
import { createDefaultRegistry, isPlanned, trustDriver } from "@anyrunner/drivers";
import { resolve } from "node:path";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../format-table.ts";

interface DriverFacts {
  readonly name: string;
  readonly package: string;
  readonly schemes: readonly string[];
  readonly status: "ready" | "planned" | "unusable";
  readonly capabilities: readonly string[];
  readonly options: readonly OptionSpec[];
  /** Why it is unusable. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined };
}

/** Lists the drivers of this project with their schemes and the parameters of their URLs. */
export async function driversCommand(context: CommandContext): Promise<number> {
  const { cwd, env, report } = context;
  const registry = createDefaultRegistry({ cwd, env, config: await loadProjectConfig({ cwd }), report });
  const drivers = await Promise.all(registry.entries.map((entry) => describe(registry, entry)));
  if (context.json) {
    context.print(JSON.stringify({ drivers }, undefined, 2));
    return EXIT.success;
  }
  const planned = drivers.filter(({ status }) => status === "planned");
  const rows = drivers
    .filter((driver) => !planned.includes(driver))
    .flatMap((driver) => driver.schemes.map((scheme) => [`${scheme}://`, driver.name, driver.package, statusText(driver)]));
  for (const line of formatTable(["SCHEME", "DRIVER", "PACKAGE", "STATUS"], rows)) context.print(line);
  if (planned.length > 0)
    context.print(
      `\nKnown, but not part of this release: ${planned
        .flatMap(({ schemes }) => schemes)
        .map((scheme) => `${scheme}://`)
        .join(", ")}`,
    );
  for (const driver of drivers) {
    if (driver.error !== undefined && driver.status === "unusable")
      context.print(`\n${driver.name}: ${driver.error.message}${driver.error.hint === undefined ? "" : ` (${driver.error.hint})`}`);
    if (driver.options.length === 0) continue;
    context.print(`\nParameters of ${driver.schemes.map((scheme) => `${scheme}://`).join(", ")}`);
    for (const line of formatTable(
      [],
      driver.options.map((option) => [`  ${option.name}`, typeText(option), option.help]),
    ))
      context.print(line);
  }
  return EXIT.success;
}

/** Lets a driver file run that a project names: the consent that only the user can give. */
export async function trustCommand(context: CommandContext, file: string): Promise<number> {
  const store = openUserStore({ env: context.env });
  const { path } = await trustDriver(resolve(context.cwd, file), store);
  context.note(`${path} may run as a driver, as it is now (remembered in ${store.file})`);
  return EXIT.success;
}

async function describe(registry: Registry, entry: DriverEntry): Promise<DriverFacts> {
  const facts = { name: entry.name, package: entry.origin, schemes: entry.schemes };
  try {
    const { capabilities, options } = await registry.load(entry);
    return { ...facts, status: "ready", capabilities, options };
  } catch (error) {
    if (!RunnerError.is(error)) throw error;
    const { code, message, hint } = error;
    return {
      ...facts,
      status: isPlanned(entry) ? "planned" : "unusable",
      capabilities: [],
      options: [],
      error: { code, message, ...(hint === undefined ? {} : { hint }) },
    };
  }
}

function statusText({ status, error }: DriverFacts): string {
  switch (status) {
    case "ready":
      return "ready";
    case "planned":
    case "unusable":
      return error?.code === "DRIVER_NOT_INSTALLED" ? "not installed" : error?.code === "PERMISSION_DENIED" ? "not allowed yet" : "unusable";
  }
}

function typeText({ type, choices, default: fallback, repeatable }: OptionSpec): string {
  const kind = choices === undefined ? type : choices.join("|");
  return `${kind}${repeatable ? ", repeatable" : ""}${fallback === undefined ? "" : `, default ${fallback}`}`;
}
