import { join } from "node:path";

import { loadProgramDriver } from "@anyrunner/program-driver";

/** The program as a driver, for the conformance suite and for whoever publishes a program as an npm package. */
export const driver = await loadProgramDriver({ command: join(import.meta.dirname, "../anyrunner-driver-proxy") });
