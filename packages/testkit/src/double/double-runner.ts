import { RunnerError, throwIfAborted, type CloseReason, type Runner, type RunnerConnection, type RunnerDriver, type RunnerHandle } from "@anyrunner/core";
import type { Duplex } from "node:stream";

import type { EngineDouble } from "./engine-double.ts";

const HANDLE: RunnerHandle = { driver: "double", id: "double", endpoint: {}, owned: false, labels: {} };

/** A runner whose engine is the double, in this process: what `openRunner` would give. */
export function doubleRunner(double: EngineDouble): Runner {
  const driver = createDoubleDriver(double);
  return { url: "double://", driver, handle: HANDLE, losers: [], connect: (options = {}) => driver.connect(HANDLE, options) };
}

/** A driver for `double://`, for registries in tests. */
export function createDoubleDriver(double: EngineDouble): RunnerDriver {
  return {
    specVersion: 1,
    name: "double",
    schemes: ["double"],
    capabilities: ["half-close"],
    options: [],
    parse: (url) => {
      if (url.body !== "" || url.params.length > 0)
        throw new RunnerError("INVALID_URL", "double:// takes neither address nor parameters", { hint: "write double://" });
      return { driver: "double", url: "double://" };
    },
    probe: () => Promise.resolve({ available: true }),
    provision: () => Promise.resolve(HANDLE),
    connect: async (_, { signal }) => {
      throwIfAborted(signal);
      return connectionOf(double.dial());
    },
  };
}

function connectionOf(stream: Duplex): RunnerConnection {
  return { stream, kind: "socket", halfClose: true, closed: closeOf(stream), diagnostics: () => Promise.resolve({}) };
}

function closeOf(stream: Duplex): Promise<CloseReason> {
  return new Promise((resolve) => {
    stream.once("end", () => resolve({ kind: "end" }));
    stream.once("error", (error) => resolve({ kind: "error", error }));
    stream.once("close", () => resolve({ kind: "local" }));
  });
}
