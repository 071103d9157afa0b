import type { RunnerDriver } from "@anyrunner/core/driver";

import { openConnection } from "./connection.ts";
import { findRunner, probeRunner, type EchoHandle } from "./find-runner.ts";
import { ECHO_OPTIONS, parseEchoTarget, type EchoTarget } from "./target.ts";

/** The driver of `echo://`. Making one does no I/O. */
export function createEchoDriver(): RunnerDriver<EchoTarget, EchoHandle> {
  return {
    specVersion: 1,
    name: "echo",
    schemes: ["echo"],
    capabilities: ["half-close"],
    options: ECHO_OPTIONS,
    parse: parseEchoTarget,
    probe: probeRunner,
    provision: findRunner,
    connect: openConnection,
  };
}

export const driver: RunnerDriver<EchoTarget, EchoHandle> = createEchoDriver();
