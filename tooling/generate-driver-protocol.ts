import { driverProtocolSchema } from "@anyrunner/core/driver-protocol";

import { writeOrCheck } from "./write-or-check.ts";

/** Writes the published schema of the protocol of driver programs from core's tables; with `--check` says whether it is up to date. */
writeOrCheck("packages/core/driver-protocol.json", `${JSON.stringify(driverProtocolSchema(), undefined, 2)}\n`);
