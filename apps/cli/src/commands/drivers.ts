import { loadProjectConfig, openUserStore } from "@anyrunner/config";
import { RunnerError, type DriverEntry, type OptionSpec, type Registry } from "@anyrunner/core";
import { addDriver, checkOutsideDriver, createDefaultRegistry, installWithNpm, isPlanned, removeDriver, trustDriver } from "@anyrunner/drivers";
import { resolve } from "node:path";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../format-table.ts";

interface DriverFacts {
  readonly name: string;
  /** The package, file or folder that it comes from. */
  readonly package: string;
  readonly schemes: readonly string[];
  readonly foundBy?: string | undefined;
  readonly version?: string | undefined;
  /** Of the driver interface, as its manifest announces it. */
  readonly specVersion?: unknown;
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
    .flatMap((driver) => driver.schemes.map((scheme) => [`${scheme}://`, ...describeOrigin(driver), driver.status]));
  for (const line of formatTable(["SCHEME", "DRIVER", "FROM", "FOUND AS", "VERSION", "SPEC", "STATUS"], rows)) context.print(line);
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
  }
  for (const { drivers: owners, options } of groupParameters(drivers)) {
    context.print(`\n${headOf(owners)}`);
    const rows = options.map((option) => [`  ${option.name}`, typeText(option), option.help]);
    for (const line of formatTable([], rows)) context.print(line);
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

function describeOrigin({ name, package: origin, foundBy = "", version = "", specVersion }: DriverFacts): readonly string[] {
  return [name, origin, foundBy, version, specVersion === undefined ? "" : JSON.stringify(specVersion)];
}

async function describe(registry: Registry, entry: DriverEntry, check: boolean): Promise<DriverFacts> {
  const { name, origin, schemes, foundBy, version, specVersion } = entry;
  const facts = { name, package: origin, schemes, foundBy, version, specVersion };
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

interface ParameterGroup {
  readonly drivers: readonly DriverFacts[];
  readonly options: readonly OptionSpec[];
}

/** Parameters that several drivers have alike are shown once, after those that each has for itself. */
function groupParameters(drivers: readonly DriverFacts[]): readonly ParameterGroup[] {
  const owners = new Map<string, { readonly option: OptionSpec; readonly drivers: DriverFacts[] }>();
  for (const driver of drivers) {
    for (const option of driver.options) {
      const key = JSON.stringify(option);
      const known = owners.get(key);
      if (known === undefined) owners.set(key, { option, drivers: [driver] });
      else known.drivers.push(driver);
    }
  }
  const groups = Map.groupBy(owners.values(), ({ drivers: those }) => those.map(({ name }) => name).join());
  return [...groups.values()]
    .map((members) => ({ drivers: members[0]?.drivers ?? [], options: members.map(({ option }) => option) }))
    .toSorted((one, other) => Number(one.drivers.length > 1) - Number(other.drivers.length > 1));
}

function headOf(drivers: readonly DriverFacts[]): string {
  const [only, ...others] = drivers;
  if (only !== undefined && others.length === 0) return `Parameters of ${only.name}: ${only.schemes.map((scheme) => `${scheme}://`).join(", ")}`;
  const areOfImages = drivers.every(({ schemes }) => schemes.some((scheme) => scheme.includes("image")));
  return `Parameters of ${drivers.map(({ name }) => name).join(", ")} alike${areOfImages ? ", for the schemes that make an engine from an image" : ""}`;
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
