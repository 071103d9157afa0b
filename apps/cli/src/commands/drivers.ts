import { RunnerError, suggest, type DriverEntry, type OptionSpec, type Registry } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { describeDriver, type DriverFacts } from "../driver-facts.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../format-table.ts";
import { groupParameters } from "../group-parameters.ts";
import { openCliRegistry } from "../list-runners.ts";
import { hangText } from "../wrap-text.ts";

export interface DriversCommandOptions {
  /** Show this one only: its name, its package or one of its schemes. Default: all. */
  readonly name?: string | undefined;
  /** Import the drivers of the project that may run, too: shows their parameters, and whether they load. One that is named is always imported. */
  readonly check: boolean;
}

/**
 * Lists the drivers of this project with their schemes, what they can do, and the parameters of their URLs. Code of the project runs only
 * with `check` or by its name, and when it may. Fails with UNKNOWN_SCHEME for the name of no driver.
 */
export async function driversCommand(context: CommandContext, { name, check }: DriversCommandOptions): Promise<number> {
  const registry = await openCliRegistry(context);
  const entries = name === undefined ? registry.entries : entriesOf(registry, name);
  const drivers = await Promise.all(entries.map((entry) => describeDriver(registry, entry, { check: check || name !== undefined })));
  if (context.json) context.print(JSON.stringify({ drivers }, undefined, 2));
  else print(context, drivers, { withPlanned: name !== undefined });
  return EXIT.success;
}

function entriesOf(registry: Registry, word: string): readonly DriverEntry[] {
  const scheme = word.replace(/:\/\/.*$/s, "");
  const named = registry.entries.filter(({ name, origin }) => name === word || origin === word);
  const found = named.length > 0 ? named : registry.candidates(scheme);
  if (found.length > 0) return found;
  const nearest = suggest(scheme, [...registry.entries.flatMap(({ name, schemes }) => [name, ...schemes]), "trust", "add", "rm"]);
  throw new RunnerError("UNKNOWN_SCHEME", `no driver has the name or the scheme "${word}"`, {
    hint: `${nearest === undefined ? "" : `did you mean "${nearest}"?\n`}\`anyrunner drivers\` lists all of them\nif you have a driver for it: anyrunner drivers add NAME`,
  });
}

function print(context: CommandContext, drivers: readonly DriverFacts[], { withPlanned }: { readonly withPlanned: boolean }): void {
  const { print: line, columns } = context;
  const shown = drivers.filter(({ status }) => withPlanned || status !== "planned");
  const [head, ...rows] = formatTable(
    ["DRIVER", "STATUS", "FROM"],
    shown.map((driver) => [driver.name, driver.status, describeOrigin(driver)]),
  );
  line(head ?? "");
  shown.forEach((driver, index) => {
    line(rows[index] ?? "");
    for (const fact of formatTable([], factRows(driver), columns)) line(fact);
  });
  const planned = drivers.filter((driver) => !shown.includes(driver)).flatMap(({ schemes }) => schemes);
  if (planned.length > 0) line(`\nKnown, but not part of this release: ${planned.map((scheme) => `${scheme}://`).join(", ")}`);
  for (const { drivers: owners, options } of groupParameters(drivers)) {
    line("");
    for (const part of hangText("", headOf(owners), columns)) line(part);
    const parameters = options.map((option) => [`  ${option.name}`, typeText(option), helpText(option)]);
    for (const parameter of formatTable([], parameters, columns)) line(parameter);
  }
  if (drivers.some(({ status }) => status === "allowed"))
    line("\nDrivers of the project were not imported; --check does, and shows what they can do and their parameters.");
}

/** `anyrunner-driver-toy 1.2.3 (driver folder, interface 1)` */
function describeOrigin({ package: origin, foundBy, version, specVersion }: DriverFacts): string {
  const facts = [foundBy, specVersion === undefined ? undefined : `interface ${JSON.stringify(specVersion)}`].filter((fact) => fact !== undefined);
  return `${origin}${version === undefined ? "" : ` ${version}`}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
}

function factRows({ schemes, capabilities, status, error }: DriverFacts): readonly (readonly string[])[] {
  const lines = (label: string, text = "") => (text === "" ? [] : text.split("\n").map((line, index) => [index === 0 ? `  ${label}` : "", line]));
  return [
    ["  schemes", schemes.join(", ")],
    ...(status === "ready" ? [["  abilities", capabilities.length === 0 ? "those of every driver alone" : capabilities.join(", ")]] : []),
    ...lines("reason", error?.message),
    ...lines("remedy", error?.hint),
  ];
}

function headOf(drivers: readonly DriverFacts[]): string {
  const [only, ...others] = drivers;
  if (only !== undefined && others.length === 0) return `Parameters of ${only.name}`;
  const areOfImages = drivers.every(({ schemes }) => schemes.some((scheme) => scheme.includes("image")));
  return `Parameters of ${drivers.map(({ name }) => name).join(", ")} alike${areOfImages ? ", for the schemes that make an engine from an image" : ""}`;
}

function typeText({ type, choices, repeatable }: OptionSpec): string {
  return `${choices === undefined ? type : choices.join("|")}${repeatable ? ", repeatable" : ""}`;
}

function helpText({ help, default: fallback }: OptionSpec): string {
  if (fallback === undefined) return help;
  return `${help}${/[.!?]$/.test(help) ? "" : "."} Default: ${fallback}.`;
}
