import { expect, test } from "vitest";

import { cliWords, commandFailure } from "./command-failure.ts";
import { createContainerCli } from "./create-container-cli.ts";
import { CONTAINER_STOPPED, NAME_TAKEN, NO_CONTAINER, NO_IMAGE, NO_PROGRAM, NO_VOLUME } from "./known-failure.ts";
import { RUNTIMES } from "./runtimes.ts";

test.each([
  ["Error: no such thing\n", "no such thing"],
  ['time="2026-01-02T03:04:05Z" level=fatal msg="it said \\"no\\""\n', 'it said "no"'],
  ["FATA[0000] no such container x\n", "no such container x"],
  ["Trying to pull x...\nError: initializing source: no such host\n", "initializing source: no such host"],
  ["Error: real reason\nexit status 125\n", "real reason"],
  ["", ""],
])("the words in %j are %j", (stderr, words) => {
  expect(cliWords(stderr)).toBe(words);
});

/** Written by the real podman 4.3.1, but for what is marked with the name of another CLI: that is from its source. */
test.each<[RegExp, string]>([
  [NO_CONTAINER, "Error: inspecting object: no such container nosuch"],
  [NO_CONTAINER, 'Error: no container with name or ID "nosuch" found: no such container'],
  [NO_CONTAINER, "nerdctl: no such object nosuch"],
  [NO_CONTAINER, 'Apple: Error: notFound: "container not found: nosuch"'],
  [NO_CONTAINER, 'Apple: Error: notFound: "get failed: container nosuch not found"'],
  [NO_IMAGE, "Error: inspecting object: nosuch: image not known"],
  [NO_IMAGE, "nerdctl: no such image: nosuch"],
  [NO_VOLUME, "Error: inspecting object: no such volume nosuch"],
  [NAME_TAKEN, 'Error: creating container storage: the container name "x" is already in use by 917ead8b2f61'],
  [NAME_TAKEN, "Error: volume with name x already exists: volume already exists"],
  [NAME_TAKEN, 'nerdctl: name "x" is already used by ID "917ead8b2f61"'],
  [
    NO_PROGRAM,
    'Error: runc: exec failed: unable to start container process: exec: "buildctl": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found',
  ],
  [NO_PROGRAM, "crun: executable file `buildctl` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found"],
  [CONTAINER_STOPPED, "Error: can only create exec sessions on running containers: container state improper"],
  [CONTAINER_STOPPED, "Apple: Error: invalidState: container x is not running"],
])("%s recognises %j", (pattern, text) => {
  expect(pattern.test(text)).toBe(true);
});

test("what no table knows is COMMAND_FAILED with the CLI's words", () => {
  const cli = createContainerCli(RUNTIMES.podman, undefined, { env: {} });
  expect(commandFailure(cli, { exitCode: 125, stdout: "", stderr: "Error: the moon is full\n" }, "list its containers")).toMatchObject({
    code: "COMMAND_FAILED",
    message: "podman could not list its containers (exit code 125): the moon is full",
    driver: "podman",
    details: { program: "podman", exitCode: 125, output: "the moon is full" },
  });
});
