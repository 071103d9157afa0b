import { expect, test } from "vitest";

import type { OptionSpec } from "./option-spec.ts";
import { parseRunnerUrl } from "./runner-url.ts";
import { passwordOf, secretTexts } from "./url-secrets.ts";

const specs: readonly OptionSpec[] = [
  { name: "key", type: "string", help: "KEY.", secret: true, repeatable: true },
  { name: "zone", type: "string", help: "ZONE." },
];

test.each([
  ["foo://me:pa55@host", "pa55"],
  ["foo://me:pa/5@5@host", "pa/5@5"],
  ["foo://me:@host", undefined],
  ["foo://me@host:1234", undefined],
  ["foo://host:1234", undefined],
  ["foo:///a:b@c", undefined],
  ["foo://engine:v1@sha256:00ff", undefined],
  ["foo://me:pa55@registry/engine:v1@sha256:00ff", "pa55"],
])("the password of %s is %s", (text, password) => {
  expect(passwordOf(parseRunnerUrl(text))).toBe(password);
});

test("of secret parameters every value and the password, as they stand there, decoded and encoded; of others nothing", () => {
  const url = parseRunnerUrl("foo://me:p%40ss@host?key=a%20b&key=c%25d&zone=here");
  expect(new Set(secretTexts(url, specs))).toEqual(new Set(["a b", "a%20b", "c%d", "c%25d", "p%40ss", "p@ss", "p%2540ss"]));
  expect(secretTexts(parseRunnerUrl("foo://host?zone=here"), specs)).toEqual([]);
});
