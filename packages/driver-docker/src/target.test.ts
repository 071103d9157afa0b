import { parseRunnerUrl, RunnerError } from "@anyrunner/core/driver";
import { describe, expect, test } from "vitest";

import { parseDockerTarget } from "./target.ts";

const GOOD: readonly (readonly [string, { container: string; context?: string; host?: string }])[] = [
  ["docker-container://my-engine", { container: "my-engine" }],
  ["container+docker://Dagger_Engine.1", { container: "Dagger_Engine.1" }],
  ["docker-container://dagger-engine-v0.21.8", { container: "dagger-engine-v0.21.8" }],
  ["docker-container://5d4ae5dad233", { container: "5d4ae5dad233" }],
  ["docker-container://x?context=build-host", { container: "x", context: "build-host" }],
  ["docker-container://x?host=unix:///run/user/1000/docker.sock", { container: "x", host: "unix:///run/user/1000/docker.sock" }],
  ["docker-container://x?host=tcp://build.example:2376", { container: "x", host: "tcp://build.example:2376" }],
];

const BAD: readonly (readonly [string, string, string])[] = [
  ["docker-container://", "INVALID_URL", "docker-container://NAME"],
  ["container+docker:///x", "INVALID_URL", "container+docker://NAME"],
  ["docker-container://a/b", "INVALID_URL", "docker-container://NAME"],
  ["docker-container://name:1234", "INVALID_URL", "docker-container://NAME"],
  ["docker-container://user:secret@name", "INVALID_URL", "docker-container://NAME"],
  ["docker-container://-name", "INVALID_URL", "docker-container://NAME"],
  ["docker-container://x?contxt=y", "INVALID_OPTION", 'did you mean "context"'],
  ["docker-container://x?context=", "INVALID_OPTION", "leave the parameter away"],
  ["docker-container://x?host=", "INVALID_OPTION", "leave the parameter away"],
  ["docker-container://x?host=http://h", "INVALID_OPTION", "unix://"],
  ["docker-container://x?host=ssh://me:secret@h", "INVALID_OPTION", "context"],
  ["docker-container://x?host=tcp://h:1&context=y", "INVALID_OPTION", "leave one of them away"],
  ["docker-container://x?context=y&context=z", "INVALID_OPTION", ""],
];

describe("target", () => {
  test.each(GOOD)("%s", (url, expected) => {
    expect(parseDockerTarget(parseRunnerUrl(url))).toEqual({ driver: "docker", url, ...expected });
  });

  test.each(BAD)("%s is refused with %s", (url, code, hint) => {
    const error = caught(url);
    expect(error).toMatchObject({ code });
    expect(error.hint ?? "").toContain(hint);
    expect(JSON.stringify(error)).not.toContain("secret");
  });
});

function caught(url: string): RunnerError {
  try {
    parseDockerTarget(parseRunnerUrl(url));
  } catch (error) {
    if (RunnerError.is(error)) return error;
    throw error;
  }
  throw new Error(`${url} was accepted`);
}
