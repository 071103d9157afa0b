import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";

import { readOptions, type OptionSpec } from "./option-spec.ts";
import { RunnerError } from "./runner-error.ts";
import { parseRunnerUrl, serializeRunnerUrl, type RunnerUrl } from "./runner-url.ts";

const SPECS = [
  { name: "container", type: "string", help: "Name." },
  { name: "volume", type: "string", help: "Volume.", default: "cache" },
  { name: "cleanup", type: "boolean", help: "Clean up.", default: true },
  { name: "port", type: "integer", help: "Port." },
  { name: "env", type: "string", help: "Variable.", repeatable: true, secret: true },
  { name: "pull", type: "string", help: "When to pull.", choices: ["always", "missing"] },
] as const satisfies readonly OptionSpec[];

const read = (query: string) => readOptions(parseRunnerUrl(`image://engine${query}`), SPECS);

/** What `readOptions` throws, or undefined when it takes the URL. */
function refusal(url: RunnerUrl): RunnerError | undefined {
  try {
    readOptions(url, SPECS);
    return undefined;
  } catch (error) {
    if (RunnerError.is(error)) return error;
    throw error;
  }
}

describe("readOptions", () => {
  test("gives defaults, empty lists and undefined for what isn't there", () => {
    expect(read("")).toEqual({ container: undefined, volume: "cache", cleanup: true, port: undefined, env: [], pull: undefined });
  });

  test("reads each type, and repeated parameters in their order", () => {
    expect(read("?container=a&volume=&cleanup=F&port=-12&env=A%3DB&env=C&pull=always")).toEqual({
      container: "a",
      volume: "",
      cleanup: false,
      port: -12,
      env: ["A=B", "C"],
      pull: "always",
    });
  });

  test.each([
    ["?contaner=a", 'unknown parameter "contaner" for image://', 'did you mean "container"? image:// takes container, volume, cleanup, port, env, pull'],
    ["?zzzzzzz=a", 'unknown parameter "zzzzzzz" for image://', "image:// takes container, volume, cleanup, port, env, pull"],
    ["?__proto__=a", 'unknown parameter "__proto__" for image://', "image:// takes container, volume, cleanup, port, env, pull"],
    ["?Container=a", 'unknown parameter "Container" for image://', 'did you mean "container"? image:// takes container, volume, cleanup, port, env, pull'],
    ["?port=1&port=1", 'parameter "port" of image:// is wrong: it is given twice', undefined],
    ["?cleanup=yes", 'parameter "cleanup" of image:// is wrong: it must be true or false', undefined],
    ["?port=1.5", 'parameter "port" of image:// is wrong: it must be a whole number', undefined],
    ["?port=", 'parameter "port" of image:// is wrong: it must be a whole number', undefined],
    ["?port=9999999999999999", 'parameter "port" of image:// is wrong: it must be a whole number', undefined],
    ["?pull=never", 'parameter "pull" of image:// is wrong: it must be one of always, missing', undefined],
    ["?pull=mising", 'parameter "pull" of image:// is wrong: it must be one of always, missing', 'did you mean "missing"?'],
  ])("%s is refused", (query, message, hint) => {
    expect(() => read(query)).toThrow(expect.objectContaining({ code: "INVALID_OPTION", message, hint }));
  });

  test("says that a scheme takes no parameters", () => {
    expect(() => readOptions(parseRunnerUrl("unix:///a?x=1"), [])).toThrow(expect.objectContaining({ hint: "unix:// takes no parameters" }));
  });

  test("types the values by the table", () => {
    const values = read("");
    expectTypeOf(values.container).toEqualTypeOf<string | undefined>();
    expectTypeOf(values.volume).toEqualTypeOf<string>();
    expectTypeOf(values.cleanup).toEqualTypeOf<boolean>();
    expectTypeOf(values.port).toEqualTypeOf<number | undefined>();
    expectTypeOf(values.env).toEqualTypeOf<readonly string[]>();
  });

  test("gives back what was written, through the text of a URL", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 12 });
    fc.assert(
      fc.property(text, fc.integer({ min: -999_999, max: 999_999 }), fc.boolean(), fc.array(text, { maxLength: 4 }), (container, port, cleanup, env) => {
        const params = [
          { name: "container", value: container },
          { name: "port", value: String(port) },
          { name: "cleanup", value: String(cleanup) },
          ...env.map((value) => ({ name: "env", value })),
        ];
        const url = parseRunnerUrl(serializeRunnerUrl({ scheme: "image", body: "engine", params }));
        expect(readOptions(url, SPECS)).toMatchObject({ container, port, cleanup, env });
      }),
    );
  });

  test("takes or refuses, with INVALID_OPTION and without the value, whatever is written", () => {
    fc.assert(
      fc.property(fc.constantFrom(...SPECS.map(({ name }) => name), "other"), fc.string({ unit: "grapheme" }), (name, rest) => {
        const error = refusal({ scheme: "image", body: "engine", params: [{ name, value: `Zq7Z${rest}` }] });
        expect(error?.code ?? "INVALID_OPTION").toBe("INVALID_OPTION");
        expect(`${JSON.stringify(error)}${String(error)}`).not.toContain("Zq7Z");
      }),
    );
  });
});
