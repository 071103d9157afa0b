import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { checkDriver } from "./check-driver.ts";

const noop = () => Promise.resolve({});
const good = {
  specVersion: 1,
  name: "toy",
  schemes: ["toy"],
  capabilities: [],
  options: [{ name: "x", type: "string", help: "X." }],
  parse: noop,
  probe: noop,
  provision: noop,
  connect: noop,
};

describe("checkDriver", () => {
  test("gives a good driver back as it is", () => {
    expect(checkDriver(good, "package toy")).toBe(good);
    const full = {
      ...good,
      version: "1.2.3",
      capabilities: ["provision", "half-close", "inspect", "logs", "lifecycle", "list"],
      inspect: noop,
      logs: noop,
      start: noop,
      stop: noop,
      destroy: noop,
      list: noop,
    };
    expect(checkDriver(full, "package toy")).toBe(full);
  });

  test.each([
    [{ ...good, specVersion: 2 }, "2"],
    [{ ...good, specVersion: "1" }, "'1'"],
    [{ ...good, specVersion: 3n }, "3n"],
    [{ specVersion: 2 }, "2"],
  ])("%# another interface version is SPEC_MISMATCH, before anything else is looked at", (value, shown) => {
    expect(() => checkDriver(value, "package toy")).toThrow(
      expect.objectContaining({
        code: "SPEC_MISMATCH",
        message: `package toy has specVersion ${shown}; this anyrunner knows version 1`,
        hint: "update the driver, or anyrunner",
      }),
    );
  });

  test.each<[string, unknown, string]>([
    ["nothing", undefined, "is no object"],
    ["null", null, "is no object"],
    ["a function", () => good, "is no object"],
    ["a module without a driver", { default: good }, 'it exports no "driver" with a specVersion'],
    ["no name", { ...good, name: undefined }, "its name is no lower-case word"],
    ["a capital name", { ...good, name: "Toy" }, "its name is no lower-case word"],
    ["a version that is a number", { ...good, version: 1 }, "its version is no text"],
    ["no schemes", { ...good, schemes: [] }, "its schemes are no list"],
    ["schemes as text", { ...good, schemes: "toy" }, "its schemes are no list"],
    ["a scheme with its separator", { ...good, schemes: ["toy://"] }, "its schemes are no list"],
    ["an unknown capability", { ...good, capabilities: ["teleport"] }, "it declares an unknown capability"],
    ["a capability named like an object's member", { ...good, capabilities: ["toString"] }, "it declares an unknown capability"],
    ["options without help", { ...good, options: [{ name: "x", type: "string" }] }, "its options are no list of { name, type, help }"],
    ["options of an unknown type", { ...good, options: [{ name: "x", type: "number", help: "" }] }, "its options are no list of { name, type, help }"],
    ["a null option", { ...good, options: [null] }, "its options are no list of { name, type, help }"],
    ["no connect", { ...good, connect: undefined }, "connect is no function"],
    ["logs declared but missing", { ...good, capabilities: ["logs"] }, 'it declares "logs" but has no logs'],
    ["half a lifecycle", { ...good, capabilities: ["lifecycle"], start: noop, stop: noop }, 'it declares "lifecycle" but has no destroy'],
    ["list there but not declared", { ...good, list: noop }, 'it has list but doesn\'t declare "list"'],
  ])("%s is DRIVER_INVALID", (_, value, message) => {
    expect(() => checkDriver(value, "package toy")).toThrow(expect.objectContaining({ code: "DRIVER_INVALID", message: expect.stringContaining(message) }));
    expect(() => checkDriver(value, "package toy")).toThrow(/^package toy /);
  });

  test("throws typed errors only, whatever a package exports", () => {
    const almost = fc.record(
      {
        specVersion: fc.constantFrom(1, 2),
        name: fc.anything(),
        schemes: fc.anything(),
        capabilities: fc.anything(),
        options: fc.anything(),
        parse: fc.anything(),
      },
      { requiredKeys: ["specVersion"] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), almost), (value) => {
        expect(() => checkDriver(value, "x")).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(DRIVER_INVALID|SPEC_MISMATCH)$/) }));
      }),
    );
  });
});
