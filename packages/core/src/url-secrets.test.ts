import { describe, expect, test } from "vitest";

import type { OptionSpec } from "./option-spec.ts";
import { parseRunnerUrl } from "./runner-url.ts";
import { secretTexts, secretTextsOf, urlSecrets } from "./url-secrets.ts";

const specs: readonly OptionSpec[] = [
  { name: "key", type: "string", help: "KEY.", secret: true, repeatable: true },
  { name: "env", type: "string", help: "NAME=VALUE.", secret: true, secretAfter: "=", repeatable: true },
  { name: "zone", type: "string", help: "ZONE." },
];
const secretsOf = (text: string) => urlSecrets(parseRunnerUrl(text), specs);

test.each([
  ["foo://me:pa55@host", "pa55"],
  ["foo://me:pa/5@5@host", "pa/5@5"],
  ["foo://me:p%40%2Fss@host", "p@/ss"],
  ["foo://me:100%@host", "100%"],
  ["foo://me:@host", undefined],
  ["foo://me@host:1234", undefined],
  ["foo://host:1234", undefined],
  ["foo:///a:b@c", undefined],
  ["foo://engine:v1@sha256:00ff", undefined],
  ["foo://me:pa55@registry/engine:v1@sha256:00ff", "pa55"],
])("the password of %s is %s", (text, password) => {
  expect(secretsOf(text)).toEqual(password === undefined ? undefined : { password });
});

test("secret parameters are lists, by name, as they were given", () => {
  expect(secretsOf("foo://host?key=a%20b&zone=here&key=c&env=A=b")).toEqual({ options: { key: ["a b", "c"], env: ["A=b"] } });
  expect(secretsOf("foo://host?zone=here&token=x")).toBeUndefined();
});

describe("what must not be shown", () => {
  const textsOf = (text: string) => new Set(secretTextsOf(parseRunnerUrl(text), specs));

  test("the password and every value of secret parameters, as they stand there, decoded and encoded; of others nothing", () => {
    expect(textsOf("foo://me:p%40ss@host?key=a%20b&key=c%25d&zone=here")).toEqual(new Set(["a b", "a%20b", "c%d", "c%25d", "p%40ss", "p@ss"]));
    expect(textsOf("foo://host?zone=here&password-file=/run/pw")).toEqual(new Set());
  });

  test("what sounds secret, though no driver says so", () => {
    expect(textsOf("foo://host?access-token=abc")).toEqual(new Set(["abc"]));
  });

  test("of a value that is secret only after a text the whole and, unless it is an everyday word, that part", () => {
    expect(textsOf("foo://host?env=MODE=docker&env=TOKEN=hunter2-hunter2&env=HERE")).toEqual(
      new Set(["MODE=docker", "MODE%3Ddocker", "TOKEN=hunter2-hunter2", "TOKEN%3Dhunter2-hunter2", "hunter2-hunter2"]),
    );
  });

  test("the same of what a caller passes", () => {
    expect(secretTexts({ password: "p@ss", options: { key: ["k"], env: ["HERE"] } }, specs)).toEqual(["k", "p@ss", "p%40ss"]);
    expect(secretTexts(undefined)).toEqual([]);
  });
});
