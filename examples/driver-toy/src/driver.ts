import { RunnerError, throwIfAborted, type RunnerDriver } from "@anyrunner/core";

import { openConnection, type ToyHandle } from "./connection.ts";
import { findAddress } from "./inventory.ts";
import { parseToyTarget, TOY_OPTIONS, type ToyTarget } from "./target.ts";

/** Runners that an inventory file names. Making a driver does no I/O. */
export function createToyDriver(): RunnerDriver<ToyTarget, ToyHandle> {
  return {
    specVersion: 1,
    name: "toy",
    schemes: ["toy"],
    capabilities: ["half-close"],
    options: TOY_OPTIONS,
    parse: parseToyTarget,
    async probe(target, { signal }) {
      throwIfAborted(signal);
      try {
        await findAddress(target);
        return { available: true };
      } catch (error) {
        const { code, message, hint } = RunnerError.from(error, "INTERNAL");
        return { available: false, reason: message, hint, code };
      }
    },
    async provision(target, { signal }) {
      throwIfAborted(signal);
      const { host, port } = await findAddress(target);
      return { driver: "toy", id: `${host}:${port}`, endpoint: { host, port }, owned: false, labels: {} };
    },
    connect: openConnection,
  };
}

export const driver = createToyDriver();
