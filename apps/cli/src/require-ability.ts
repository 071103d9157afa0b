import { RunnerError, type DriverCapability, type RunnerDriver } from "@anyrunner/core";

import type { FoundRunner } from "./find-runner.ts";

/** What each ability is called where it is missed. */
const WORDS: Partial<Record<DriverCapability, string>> = {
  logs: "show a runner's log",
  lifecycle: "start, stop or remove a runner",
};

/** The driver with the members of that capability. Fails with UNSUPPORTED, naming the driver and the ability. */
export function requireAbility<Member extends "logs" | "start" | "stop" | "destroy">(
  { driver, label }: FoundRunner,
  capability: DriverCapability,
  member: Member,
): RunnerDriver & Required<Pick<RunnerDriver, Member>> {
  if (driver[member] !== undefined) return driver as RunnerDriver & Required<Pick<RunnerDriver, Member>>;
  throw new RunnerError("UNSUPPORTED", `${label}: the driver "${driver.name}" can't ${WORDS[capability] ?? capability}`, {
    hint: `use the tools of the place where the engine runs\n\`anyrunner drivers ${driver.name}\` shows what the driver can do`,
    driver: driver.name,
    details: { driver: driver.name, capability },
  });
}

/** Fails with UNSUPPORTED for a runner that anyrunner did not make. */
export function requireOwned({ handle, label, driver }: FoundRunner, doing: string): void {
  if (handle === undefined || handle.owned) return;
  throw new RunnerError("UNSUPPORTED", `${label} was not made by anyrunner, so it isn't ${doing}`, {
    hint: "use the tools with which it was made",
    driver: driver.name,
    details: { driver: driver.name, id: handle.id, owned: false },
  });
}
