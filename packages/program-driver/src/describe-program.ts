import type { CallOptions } from "@anyrunner/core/driver";
import { PROTOCOL_VERSION, type ProgramDescription } from "@anyrunner/core/driver-protocol";

import { callProgram } from "./open-call.ts";
import type { ProgramSettings } from "./program-settings.ts";

/**
 * Asks a program what it is; this runs it. Fails with DRIVER_INVALID, SPEC_MISMATCH (another version of the protocol or of the interface),
 * TIMEOUT, NOT_AVAILABLE, PERMISSION_DENIED, ABORTED.
 */
export async function describeProgram(settings: ProgramSettings, options: CallOptions = {}): Promise<ProgramDescription> {
  const { driver } = await callProgram({
    settings,
    verb: "describe",
    request: { protocols: [PROTOCOL_VERSION] },
    voice: { command: settings.command, hidden: [] },
    options,
  });
  return driver;
}
