import fc from "fast-check";
import { describe, expect, test } from "vitest";
import recorded from "../test/fixtures/patterns.json" with { type: "json" };
import { compilePatterns, type MatchState, type PatternMatcher } from "./pattern-matcher.ts";

/** Matches a path as a walk does: its directories first, each with the state of the one above. */
function matchByWalking(matcher: PatternMatcher, path: string): boolean {
  const components = path.split("/");
  let state: MatchState | undefined;
  let matched = false;
  for (const [index] of components.entries()) {
    const found = matcher.match(components.slice(0, index + 1).join("/"), state);
    state = found.state;
    matched = found.matched;
  }
  return matched;
}

const component = fc.constantFrom("a", "b", "foo", "foo.txt", "*", "**", "*.txt", "?", "[ab]", "f*", "**foo", "a\\*", "é");
const pattern = fc
  .tuple(fc.boolean(), fc.array(component, { minLength: 1, maxLength: 4 }))
  .map(([negated, components]) => (negated ? "!" : "") + components.join("/"));
const path = fc.array(fc.constantFrom("a", "b", "foo", "foo.txt", "bar", "é", "a*"), { minLength: 1, maxLength: 5 }).map((components) => components.join("/"));

describe("patterns", () => {
  test.each([
    ["*.txt", "a.txt", true],
    ["*.txt", "sub/a.txt", false],
    ["**/*.txt", "a.txt", true],
    ["**/*.txt", "x/y/a.txt", true],
    ["node_modules", "node_modules/x/y.js", true],
    ["node_modules", "sub/node_modules", false],
    ["**/node_modules", "sub/node_modules/x.js", true],
    ["src/**", "src", false],
    ["src/**", "src/a/b", true],
    ["sr?", "src", true],
    ["sr?", "sr/", false],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["a.b", "axb", false],
    ["/abs", "abs", false],
    ["a/../b", "b", true],
    ["  a  ", "a", true],
    ["a/", "a", true],
  ])("%s and %s", (line, path, matched) => {
    expect(matchByWalking(compilePatterns([line]), path)).toBe(matched);
  });

  test("the last one that applies wins", () => {
    const matcher = compilePatterns(["*", "!keep", "keep/not"]);
    expect(["drop", "keep", "keep/this", "keep/not"].map((path) => matchByWalking(matcher, path))).toEqual([true, false, false, true]);
  });

  test("a negated pattern alone matches nothing", () => {
    expect(matchByWalking(compilePatterns(["!a"]), "b")).toBe(false);
  });

  test("a matched directory matches what is below, whatever stands between", () => {
    expect(matchByWalking(compilePatterns(["a", "!a/b"]), "a/b/c/d")).toBe(false);
    expect(matchByWalking(compilePatterns(["a", "!a/b"]), "a/c/d")).toBe(true);
  });

  test.each(recorded.cases.map((entry) => [JSON.stringify(entry.patterns), entry] as const))("%s means what it means to moby", (_, entry) => {
    if (entry.bad) {
      expect(() => compilePatterns(entry.patterns)).toThrow(expect.objectContaining({ reason: "invalid" }));
      return;
    }
    const matcher = compilePatterns(entry.patterns);
    const found = Object.fromEntries(Object.keys(entry.paths ?? {}).map((path) => [path, matchByWalking(matcher, path)]));
    expect(found).toEqual(entry.paths);
  });

  test("without negation, a path matches if a pattern matches it or one of its parents", () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), path, (lines, path) => {
        const matcher = compilePatterns(lines.map((line) => line.replace(/^!/, "")));
        const components = path.split("/");
        const parents = components.map((_, index) => components.slice(0, index + 1).join("/"));
        expect(matchByWalking(matcher, path)).toBe(matcher.patterns.some((pattern) => parents.some((parent) => pattern.matches(parent))));
      }),
      { numRuns: 1_000 },
    );
  });

  test("no directory is given up that holds a match", () => {
    fc.assert(
      fc.property(pattern, path, (line, path) => {
        const matcher = compilePatterns([line]);
        const [only] = matcher.patterns;
        if (only === undefined || !only.matches(path)) return;
        const components = path.split("/");
        for (let depth = 1; depth < components.length; depth++) {
          expect(matcher.reachesBelow(components.slice(0, depth).join("/"), { negated: only.negated })).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["home/x", "home", true],
    ["home/x", "usr", false],
    ["home/x", "home/x", false],
    ["home/*/y", "home/a", true],
    ["home/*.d/y", "home/a", false],
    ["home/x/**", "home/x", true],
    ["**/y", "anything/at/all", true],
  ])("%s may reach below %s: %s", (line, directory, reaches) => {
    expect(compilePatterns([line]).reachesBelow(directory, { negated: false })).toBe(reaches);
  });
});
