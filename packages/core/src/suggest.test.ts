import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { suggest } from "./suggest.ts";

const SCHEMES = ["unix", "tcp", "docker-container", "container+docker", "embedded", "kube-pod"];

describe("suggest", () => {
  test.each([
    ["unx", "unix"],
    ["uinx", "unix"],
    ["TCP", "tcp"],
    ["tpc", "tcp"],
    ["docker-contaner", "docker-container"],
    ["dokcer-container", "docker-container"],
    ["embeded", "embedded"],
    ["kubepod", "kube-pod"],
  ])("%s → %s", (word, expected) => {
    expect(suggest(word, SCHEMES)).toBe(expected);
  });

  test.each(["", "http", "ssh", "podman", "zzzzzzzzzz"])("nothing for %j", (word) => {
    expect(suggest(word, SCHEMES)).toBeUndefined();
  });

  test("takes the nearest, and the first of equally near ones", () => {
    expect(suggest("port", ["sort", "ports", "port"])).toBe("port");
    expect(suggest("pors", ["port", "pore"])).toBe("port");
    expect(suggest("x", [])).toBeUndefined();
  });

  const word = fc.stringMatching(/^[a-z]{3,12}$/);

  test("gives a candidate or nothing, and a word itself when it is one", () => {
    fc.assert(
      fc.property(word, fc.array(word), (misspelt, candidates) => {
        expect([undefined, ...candidates]).toContain(suggest(misspelt, candidates));
        expect(suggest(misspelt, [...candidates, misspelt])).toBe(misspelt);
      }),
    );
  });

  test("finds a word with one letter dropped, doubled or swapped", () => {
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom("drop", "double", "swap"), (right, position, change) => {
        const at = position % (right.length - 1);
        const wrong = {
          drop: right.slice(0, at) + right.slice(at + 1),
          double: right.slice(0, at + 1) + right.slice(at),
          swap: right.slice(0, at) + (right[at + 1] ?? "") + (right[at] ?? "") + right.slice(at + 2),
        }[change];
        expect(suggest(wrong, [right])).toBe(right);
      }),
      { numRuns: 500 },
    );
  });
});
