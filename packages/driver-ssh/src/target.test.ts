import { parseRunnerUrl, RunnerError } from "@anyrunner/core/driver";
import { describe, expect, test } from "vitest";

import { parseSshTarget, type SshAddress } from "./target.ts";

const GOOD: readonly (readonly [string, SshAddress])[] = [
  ["ssh://build-host", { host: { host: "build-host" } }],
  ["ssh://Build_Host.example/", { host: { host: "Build_Host.example" } }],
  ["ssh://me@host:2222/run/x/engine.sock", { host: { host: "host", user: "me", port: 2222 }, socket: "/run/x/engine.sock" }],
  ["ssh://me@corp.example@host", { host: { host: "host", user: "me@corp.example" } }],
  [String.raw`ssh://CORP\me@host`, { host: { host: "host", user: String.raw`CORP\me` } }],
  ["ssh://[::1]:22/s", { host: { host: "::1", port: 22 }, socket: "/s" }],
  ["ssh://[fe80::1%eth0]", { host: { host: "fe80::1%eth0" } }],
  ["ssh://host/a%20b's", { host: { host: "host" }, socket: "/a%20b's" }],
];

const BAD: readonly (readonly [string, string, string?])[] = [
  ["ssh://", "INVALID_URL"],
  ["ssh:///run/x.sock", "INVALID_URL"],
  ["ssh://me@", "INVALID_URL"],
  ["ssh://@host", "INVALID_URL"],
  ["ssh://me:secret@host", "INVALID_URL", "agent"],
  ["ssh://-oProxyCommand=x", "INVALID_URL"],
  ["ssh://-oProxyCommand=x/run/x.sock", "INVALID_URL"],
  ["ssh://-lx@host", "INVALID_URL"],
  ["ssh://host;x", "INVALID_URL"],
  ["ssh://$(x)@host", "INVALID_URL"],
  ["ssh://host:", "INVALID_URL"],
  ["ssh://host:0", "INVALID_URL"],
  ["ssh://host:65536", "INVALID_URL"],
  ["ssh://::1", "INVALID_URL"],
  ["ssh://[-x]", "INVALID_URL"],
  ["ssh://host/run/", "INVALID_URL"],
  ["ssh://host/a:b", "INVALID_URL"],
  ["ssh://host/${HOME}/x", "INVALID_URL"],
  [`ssh://host/${"x".repeat(200)}`, "INVALID_URL"],
  ["ssh://host?identity=/x", "INVALID_OPTION", "takes no parameters"],
];

describe("target", () => {
  test.each(GOOD)("%s", (url, address) => {
    const target = parseSshTarget(parseRunnerUrl(url));
    expect(target.address).toEqual(address);
    expect(JSON.parse(JSON.stringify(target))).toEqual(target);
  });

  test.each(BAD)("%s is refused with %s", (url = "", code, hint = "") => {
    const error = caught(url);
    expect(error).toMatchObject({ code, hint: expect.stringContaining(hint) });
    expect(JSON.stringify(error)).not.toContain("secret");
  });
});

function caught(url: string): RunnerError {
  try {
    parseSshTarget(parseRunnerUrl(url));
  } catch (error) {
    if (RunnerError.is(error)) return error;
    throw error;
  }
  throw new Error(`${url} was accepted`);
}
