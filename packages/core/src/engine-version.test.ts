import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  baseEngineVersion,
  checkEngine,
  compareEngineVersions,
  ENGINE_PACKAGE,
  minimumClientVersion,
  normalizeEngineVersion,
  parseEngineVersion,
} from "./engine-version.ts";

describe("parseEngineVersion", () => {
  test.each([
    ["v0.21.8", { major: 0, minor: 21, patch: 8, prerelease: [] }],
    ["0.21.8", { major: 0, minor: 21, patch: 8, prerelease: [] }],
    ["v1.0.0-beta.11+13d493ee.dirty", { major: 1, minor: 0, patch: 0, prerelease: ["beta", "11"] }],
    ["v0.21.8-20251124032908-dev-a1b2", { major: 0, minor: 21, patch: 8, prerelease: ["20251124032908-dev-a1b2"] }],
  ])("%s", (text, version) => {
    expect(parseEngineVersion(text)).toEqual(version);
  });

  test.each(["", "v", "main", "0.21", "v0.21.x", "v01.2.3", "v1.2.3-", "v1.2.3-a..b", "v1.2.3-01", "v1.2.3+", "13d493ee"])("%j is no version", (text) => {
    expect(parseEngineVersion(text)).toBeUndefined();
  });
});

test.each([
  ["0.21.8", "v0.21.8"],
  ["v0.21.8+anyrunner", "v0.21.8+anyrunner"],
  [" v0.21.8\n", "v0.21.8"],
  ["", ""],
  ["main", "v0.11.9"],
  ["0.21", "v0.11.9"],
])("%j is normalised to %j", (text, normal) => {
  expect(normalizeEngineVersion(text)).toBe(normal);
});

test.each([
  ["v0.21.8-beta.1+abc", "v0.21.8"],
  ["1.0.0-beta.11", "v1.0.0"],
  ["nonsense", "v0.11.9"],
  ["", ""],
])("the base of %j is %j", (text, base) => {
  expect(baseEngineVersion(text)).toBe(base);
});

describe("compareEngineVersions", () => {
  test.each([
    ["v0.21.8", "<", "v0.21.9"],
    ["v0.9.9", "<", "v0.21.0"],
    ["v0.21.8", "<", "v1.0.0-beta.1"],
    ["v0.21.8+abc", "=", "0.21.8+def.dirty"],
    ["v0.21.8-beta.1", "<", "v0.21.8"],
    ["v0.21.8-beta.2", "<", "v0.21.8-beta.10"],
    ["v0.21.8-beta", "<", "v0.21.8-beta.1"],
    ["v0.21.8-1", "<", "v0.21.8-alpha"],
    ["v0.21.8-99999999999999999998", "<", "v0.21.8-99999999999999999999"],
    ["v1.0.0-beta.1", "=", "v1.0.0-beta.10"],
    ["v1.0.0-beta.1", "=", "v1.0.0"],
    ["v0.21.8-20251101-dev-aaaa", "=", "v0.21.8-20251201-dev-bbbb"],
    ["v0.21.8-20251101-dev-aaaa", "<", "v0.21.8"],
    ["nonsense", "=", "v0.11.9"],
  ])("%s %s %s", (left, sign, right) => {
    const expected = { "<": -1, "=": 0 }[sign];
    expect(Math.sign(compareEngineVersions(left, right))).toBe(expected);
    expect(Math.sign(compareEngineVersions(right, left)) + (expected ?? 0)).toBe(0);
  });

  const small = fc.nat(12);
  const prerelease = fc.array(fc.oneof(fc.nat(20).map(String), fc.constantFrom("alpha", "beta", "rc-1")), { maxLength: 3 });
  const version = fc
    .tuple(fc.nat(1), small, small, prerelease)
    .map(([major, minor, patch, parts]) => `v${major}.${minor}.${patch}${parts.length > 0 ? `-${parts.join(".")}` : ""}`);

  test("is a total order, which a build part and a missing v don't change", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const sign = (left: string, right: string) => Math.sign(compareEngineVersions(left, right));
        expect(sign(a, a)).toBe(0);
        expect(sign(a, b) + sign(b, a)).toBe(0);
        const [low, middle, high] = [a, b, c].toSorted(compareEngineVersions) as [string, string, string];
        expect([sign(low, middle), sign(middle, high), sign(low, high)]).not.toContain(1);
        expect(sign(`${a.slice(1)}+13d493ee.dirty`, b)).toBe(sign(a, b));
      }),
      { numRuns: 1000 },
    );
  });

  test("from 1.0 on only the base counts", () => {
    fc.assert(
      fc.property(small, small, prerelease, prerelease, (minor, patch, a, b) => {
        const text = (parts: readonly string[]) => `v1.${minor}.${patch}${parts.length > 0 ? `-${parts.join(".")}` : ""}`;
        expect(compareEngineVersions(text(a), text(b))).toBe(0);
      }),
    );
  });
});

describe("checkEngine", () => {
  const check = (info: { package: string; version: string }, minimum?: string) => {
    checkEngine(info, { runner: "unix:///x", minimum });
  };

  test.each(["v0.21.8", "v0.14.0", "v1.0.0-beta.10", "v0.21.8+anyrunner", ""])("takes %j", (version) => {
    expect(() => check({ package: ENGINE_PACKAGE, version })).not.toThrow();
  });

  test("refuses another package, whatever its version", () => {
    expect(() => check({ package: "github.com/moby/buildkit", version: "v0.21.8" })).toThrow(
      expect.objectContaining({
        code: "WRONG_SERVER",
        message: expect.stringContaining("unix:///x"),
        details: { package: "github.com/moby/buildkit", version: "v0.21.8" },
      }),
    );
  });

  test.each([
    ["v0.13.7", undefined],
    ["main", undefined],
    ["v0.18.19", "v0.19.0"],
    ["v0.19.0-beta.1", "v0.19.0"],
  ])("refuses %s when the minimum is %s", (version, minimum) => {
    expect(() => check({ package: ENGINE_PACKAGE, version }, minimum)).toThrow(
      expect.objectContaining({ code: "VERSION_MISMATCH", hint: expect.stringMatching(/or newer$/) }),
    );
  });
});

test.each([
  ["v0.14.0", "v0.12.5"],
  ["v0.15.4", "v0.12.5"],
  ["v0.16.3", "v0.16.0"],
  ["v0.17.0", "v0.17.0"],
  ["v0.18.19", "v0.17.0"],
  ["v0.19.0", "v0.19.0"],
  ["v0.21.8-20251101-dev-aaaa", "v0.19.0"],
  ["v1.0.0-beta.10", "v0.19.0"],
  ["v0.13.0", undefined],
])("an engine of %s accepts clients from %s on", (version, minimum) => {
  expect(minimumClientVersion(version)).toBe(minimum);
});
