import { loadProjectConfig, openUserStore } from "@anyrunner/config";
import { RunnerError, type DriverEntry, type OptionSpec, type Registry } from "@anyrunner/core";
import { checkOutsideDriver, createDefaultRegistry, isPlanned, trustDriver } from "@anyrunner/drivers";
import { resolve } from "node:path";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../format-table.ts";

interface DriverFacts {
  readonly name: string;
  /** The package, file or folder that it comes from. */
  readonly package: string;
  readonly schemes: readonly string[];
  /** `allowed`: a driver of the project that may run, and was not imported to list it. */
  readonly status: "ready" | "allowed" | "not allowed" | "not installed" | "planned" | "unusable";
  readonly capabilities: readonly string[];
  readonly options: readonly OptionSpec[];
  /** Why it can't be used. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined };
}

export interface DriversCommandOptions {
  /** Import the drivers of the project that may run, too: shows their parameters, and whether they load. */
  readonly check: boolean;
}

/** Lists the drivers of this project with their schemes and the parameters of their URLs. Code of the project runs only with `check`. */
export async function driversCommand(context: CommandContext, { check }: DriversCommandOptions): Promise<number> {
  const { cwd, env, report } = context;
  const registry = createDefaultRegistry({ cwd, env, config: await loadProjectConfig({ cwd }), report });
  const drivers = await Promise.all(registry.entries.map((entry) => describe(registry, entry, check)));
  if (context.json) {
    context.print(JSON.stringify({ drivers }, undefined, 2));
    return EXIT.success;
  }
  const planned = drivers.filter(({ status }) => status === "planned");
  const rows = drivers
    .filter((driver) => !planned.includes(driver))
    .flatMap((driver) => driver.schemes.map((scheme) => [`${scheme}://`, driver.name, driver.package, driver.status]));
  for (const line of formatTable(["SCHEME", "DRIVER", "FROM", "STATUS"], rows)) context.print(line);
  if (planned.length > 0)
    context.print(
      `\nKnown, but not part of this release: ${planned
        .flatMap(({ schemes }) => schemes)
        .map((scheme) => `${scheme}://`)
        .join(", ")}`,
    );
  for (const driver of drivers) {
    if (driver.error !== undefined && driver.status !== "planned")
      context.print(`\n${driver.name}: ${driver.error.message}${driver.error.hint === undefined ? "" : ` (${driver.error.hint})`}`);
    if (driver.options.length === 0) continue;
    context.print(`\nParameters of ${driver.schemes.map((scheme) => `${scheme}://`).join(", ")}`);
    for (const line of formatTable(
      [],
      driver.options.map((option) => [`  ${option.name}`, typeText(option), option.help]),
    ))
      context.print(line);
  }
  if (drivers.some(({ status }) => status === "allowed"))
    context.print("\nDrivers of the project were not imported; --check does, and shows their parameters.");
  return EXIT.success;
}

/** Lets a driver that a project names run, by its file or its folder: the consent that only the user can give. */
export async function trustCommand(context: CommandContext, place: string): Promise<number> {
  const store = openUserStore({ env: context.env });
  const { path, fileCount } = await trustDriver(resolve(context.cwd, place), store);
  const files = fileCount === 1 ? "1 file" : `${fileCount} files`;
  context.note(`${path} may run as a driver, as it is now (${files}; remembered in ${store.file})`);
  return EXIT.success;
}

async function describe(registry: Registry, entry: DriverEntry, check: boolean): Promise<DriverFacts> {
  const facts = { name: entry.name, package: entry.origin, schemes: entry.schemes };
  try {
    const consent = checkOutsideDriver(entry);
    await consent;
    if (consent !== undefined && !check) return { ...facts, status: "allowed", capabilities: [], options: [] };
    const { capabilities, options } = await registry.load(entry);
    return { ...facts, status: "ready", capabilities, options };
  } catch (error) {
    if (!RunnerError.is(error)) throw error;
    const { code, message, hint } = error;
    return { ...facts, status: statusOf(entry, error), capabilities: [], options: [], error: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}

function statusOf(entry: DriverEntry, { code }: RunnerError): DriverFacts["status"] {
  if (isPlanned(entry)) return "planned";
  if (code === "DRIVER_NOT_INSTALLED") return "not installed";
  return code === "PERMISSION_DENIED" ? "not allowed" : "unusable";
}

function typeText({ type, choices, default: fallback, repeatable }: OptionSpec): string {
  const kind = choices === undefined ? type : choices.join("|");
  return `${kind}${repeatable ? ", repeatable" : ""}${fallback === undefined ? "" : `, default ${fallback}`}`;
}
