import type { RunnerDriver } from "@anyrunner/core/driver";

import { openConnection } from "./connection.ts";
import { findRunner, probeRunner, type ToyHandle } from "./find-runner.ts";
import { TOY_OPTIONS, parseToyTarget, type ToyTarget } from "./target.ts";

/** The driver of `toy://`. Making one does no I/O. */
export function createToyDriver(): RunnerDriver<ToyTarget, ToyHandle> {
  return {
    specVersion: 1,
    name: "toy",
    schemes: ["toy"],
    capabilities: ["half-close"],
    options: TOY_OPTIONS,
    parse: parseToyTarget,
    probe: probeRunner,
    provision: findRunner,
    connect: openConnection,
  };
}

export const driver: RunnerDriver<ToyTarget, ToyHandle> = createToyDriver();
