import { describe, expect, test } from "vitest";

import { chooseRunner, RUNNER_HOST_VARIABLES, type ChooseRunnerInput, type ChosenRunner } from "./choose-runner.ts";
import { RunnerError } from "./runner-error.ts";

const everything: ChooseRunnerInput = {
  flag: "tcp://flag",
  env: {
    DAGGER_SESSION_PORT: "4000",
    DAGGER_SESSION_TOKEN: "token",
    _EXPERIMENTAL_DAGGER_RUNNER_HOST: "tcp://experimental",
    DAGGER_RUNNER_HOST: "tcp://later-name",
    ANYRUNNER_RUNNER: "tcp://ours",
  },
  project: { url: "tcp://project", file: "/p/anyrunner.config.yaml" },
  user: { url: "tcp://user", file: "/h/runner.json" },
  findRunning: () => Promise.resolve({ value: "tcp://running", from: { kind: "running", name: "dagger-engine-v0.21.8" } }),
  findDefault: () => Promise.resolve({ value: "image://default", from: { kind: "default", name: "image" } }),
};

/** Everything, but for the sources named: unset, or set to nothing. */
function without(...names: readonly string[]): ChooseRunnerInput {
  const kept: Record<string, unknown> = { ...everything, env: { ...everything.env } };
  for (const name of names) {
    if (Object.hasOwn(kept, name)) kept[name] = undefined;
    else (kept["env"] as Record<string, string>)[name] = "";
  }
  return kept as unknown as ChooseRunnerInput;
}

const ORDER = ["flag", "DAGGER_SESSION_PORT", "_EXPERIMENTAL_DAGGER_RUNNER_HOST", "DAGGER_RUNNER_HOST", "ANYRUNNER_RUNNER", "project", "user", "findRunning"];

describe("chooseRunner", () => {
  test.each<[number, ChosenRunner]>([
    [0, { kind: "url", url: "tcp://flag", from: { kind: "flag", name: "--runner" } }],
    [1, { kind: "session", port: 4000, token: "token", from: { kind: "session", name: "DAGGER_SESSION_PORT" } }],
    [2, { kind: "url", url: "tcp://experimental", from: { kind: "environment", name: "_EXPERIMENTAL_DAGGER_RUNNER_HOST" } }],
    [3, { kind: "url", url: "tcp://later-name", from: { kind: "environment", name: "DAGGER_RUNNER_HOST" } }],
    [4, { kind: "url", url: "tcp://ours", from: { kind: "environment", name: "ANYRUNNER_RUNNER" } }],
    [5, { kind: "url", url: "tcp://project", from: { kind: "project", name: "/p/anyrunner.config.yaml" } }],
    [6, { kind: "url", url: "tcp://user", from: { kind: "user", name: "/h/runner.json" } }],
    [7, { kind: "url", url: "tcp://running", from: { kind: "running", name: "dagger-engine-v0.21.8" } }],
    [8, { kind: "url", url: "image://default", from: { kind: "default", name: "image" } }],
  ])("without the first %i sources the next one decides", async (count, chosen) => {
    expect(await chooseRunner(without(...ORDER.slice(0, count)))).toEqual(chosen);
  });

  test("the default is not looked for while an engine runs, and neither while anything is configured", async () => {
    const findDefault = () => Promise.reject(new Error("must not be asked"));
    await expect(chooseRunner({ ...without(...ORDER.slice(0, 7)), findDefault })).resolves.toMatchObject({ url: "tcp://running" });
    await expect(chooseRunner({ ...without("flag"), findDefault, findRunning: findDefault })).resolves.toMatchObject({ kind: "session" });
  });

  test("an engine that isn't running leads to the default", async () => {
    const input = { ...without(...ORDER.slice(0, 7)), findRunning: () => Promise.resolve(undefined) };
    expect(await chooseRunner(input)).toMatchObject({ url: "image://default" });
  });

  test("with nothing at all every remedy is named", async () => {
    const error: unknown = await chooseRunner({ env: {} }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "NO_RUNNER",
      message: "no runner is configured",
      hint: expect.stringMatching(
        /--runner embedded:\/\/.*\n.*--runner URL.*anyrunner use URL\n.*ANYRUNNER_RUNNER.*_EXPERIMENTAL_DAGGER_RUNNER_HOST.*\n.*anyrunner\.config\.yaml$/,
      ),
    });
    await expect(chooseRunner({ env: {}, findRunning: () => Promise.resolve(undefined), findDefault: () => Promise.resolve(undefined) })).rejects.toMatchObject(
      { code: "NO_RUNNER", message: "no runner is configured, and no engine was found on this machine" },
    );
  });

  test("why there is no default is passed on", async () => {
    const failure = new RunnerError("NOT_AVAILABLE", "no Docker");
    await expect(chooseRunner({ env: {}, findDefault: () => Promise.reject(failure) })).rejects.toBe(failure);
  });

  test.each(["0", "65536", "-1", "8o", "1e3", "0x10", " 80", "port"])("a session's port %j is INVALID_CONFIG, not ignored", async (port) => {
    await expect(chooseRunner({ env: { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: "t" } })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining(port),
    });
  });

  test("a session without a token is INVALID_CONFIG; a token alone is no session", async () => {
    await expect(chooseRunner({ env: { DAGGER_SESSION_PORT: "4000" } })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
    await expect(chooseRunner({ env: { DAGGER_SESSION_TOKEN: "t", ANYRUNNER_RUNNER: "tcp://a" } })).resolves.toMatchObject({ url: "tcp://a" });
  });

  test("the official variable comes first", () => {
    expect(RUNNER_HOST_VARIABLES[0]).toBe("_EXPERIMENTAL_DAGGER_RUNNER_HOST");
  });
});
