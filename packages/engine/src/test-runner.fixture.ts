import { createRegistry, openRunner, type Runner } from "@anyrunner/core";

/** A runner whose connections are whatever `dial` gives. */
export function runnerOn(dial: () => import("node:stream").Duplex): Promise<Runner> {
  const driver = {
    specVersion: 1,
    name: "test",
    schemes: ["test"],
    capabilities: [],
    options: [],
    parse: () => ({ driver: "test", url: "test://engine" }),
    probe: async () => ({ available: true }),
    provision: async () => ({ driver: "test", id: "engine", endpoint: {}, owned: false, labels: {} }),
    connect: async () => {
      const stream = dial();
      const closed = new Promise((resolve) => stream.once("close", () => resolve({ kind: "end" })));
      return { stream, kind: "socket", halfClose: true, closed, diagnostics: async () => ({ summary: "the test engine is gone", exitCode: 137 }) };
    },
  };
  return openRunner("test://engine", { registry: createRegistry([{ name: "test", schemes: ["test"], origin: "test", load: async () => ({ driver }) }]) });
}
