import type { OptionSpec } from "@anyrunner/core";

import type { DriverFacts } from "./driver-facts.ts";

export interface ParameterGroup {
  readonly drivers: readonly DriverFacts[];
  readonly options: readonly OptionSpec[];
}

/** Parameters that several drivers have alike are shown once, after those that each has for itself. */
export function groupParameters(drivers: readonly DriverFacts[]): readonly ParameterGroup[] {
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
