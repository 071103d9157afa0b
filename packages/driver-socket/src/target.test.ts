import { parseRunnerUrl, RunnerError } from "@anyrunner/core/driver";
import { describe, expect, test } from "vitest";

import { formatSocketAddress, parseSocketTarget, type SocketAddress } from "./target.ts";

const GOOD: readonly (readonly [string, SocketAddress])[] = [
  ["unix:///run/dagger/engine.sock", { kind: "unix", path: "/run/dagger/engine.sock" }],
  ["UNIX:///Run/Engine.Sock", { kind: "unix", path: "/Run/Engine.Sock" }],
  ["unix:///a%20b", { kind: "unix", path: "/a%20b" }],
  ["unix://engine.sock", { kind: "unix", path: "engine.sock" }],
  ["unix://@engine", { kind: "unix", path: "@engine" }],
  [`unix:///${"x".repeat(102)}`, { kind: "unix", path: `/${"x".repeat(102)}` }],
  ["tcp://127.0.0.1:1234", { kind: "tcp", hostname: "127.0.0.1", port: 1234 }],
  ["tcp://Build-Host.example:65535", { kind: "tcp", hostname: "Build-Host.example", port: 65_535 }],
  ["tcp://[::1]:80", { kind: "tcp", hostname: "::1", port: 80 }],
  ["tls://engine.example:8443", { kind: "tls", hostname: "engine.example", port: 8443 }],
  ["npipe:////./pipe/docker_engine", { kind: "npipe", path: "\\\\.\\pipe\\docker_engine" }],
  ["npipe:////Build-Host/pipe/a/b", { kind: "npipe", path: "\\\\Build-Host\\pipe\\a\\b" }],
  ["tcp://[fe80::1%eth0]:80", { kind: "tcp", hostname: "fe80::1%eth0", port: 80 }],
];

const BAD: readonly (readonly [string, string, string?])[] = [
  ["unix://", "INVALID_URL"],
  ["unix:///run/", "INVALID_URL"],
  [`unix:///${"x".repeat(200)}`, "INVALID_URL"],
  ["unix://user:secret@/run/x.sock", "INVALID_URL"],
  ["unix:///run/x.sock?timeout=3", "INVALID_OPTION"],
  ["tcp://", "INVALID_URL"],
  ["tcp://host", "INVALID_URL", "write tcp://host:PORT"],
  ["tcp://host:", "INVALID_URL"],
  ["tcp://:1234", "INVALID_URL"],
  ["tcp://host:0", "INVALID_URL"],
  ["tcp://host:65536", "INVALID_URL"],
  ["tcp://host:http", "INVALID_URL"],
  ["tcp://host:1234/path", "INVALID_URL"],
  ["tcp://::1:1234", "INVALID_URL"],
  ["tcp://user:secret@host:1234", "INVALID_URL"],
  ["tcp://host:1234?tls=1", "INVALID_OPTION"],
  ["tcp://host:1234?ca_path=/x", "INVALID_OPTION", "tcp:// takes no parameters"],
  ["tls://", "INVALID_URL"],
  ["tls://:443", "INVALID_URL"],
  ["tls://host/path", "INVALID_URL"],
  ["tls://user:secret@host", "INVALID_URL"],
  ["tls://host?cert_path=/c", "INVALID_OPTION", "both"],
  ["tls://host?key_path=/k", "INVALID_OPTION", "both"],
  ["tls://host?ca_path=", "INVALID_OPTION"],
  ["tls://host?capath=/c", "INVALID_OPTION", "ca_path"],
  ["tls://host?skip_verify=1", "INVALID_OPTION"],
  ["npipe://", "INVALID_URL", "npipe:////./pipe/NAME"],
  ["npipe:///pipe/x", "INVALID_URL"],
  ["npipe:////./pipe/", "INVALID_URL"],
  ["npipe:////./pipe/x?a=1", "INVALID_OPTION"],
];

describe("target", () => {
  test.each(GOOD)("%s", (url, address) => {
    expect(parseSocketTarget(parseRunnerUrl(url)).address).toEqual(address);
  });

  test("tls:// has the port of https and takes names of files and of the server", () => {
    const url = "tls://Engine.example?ca_path=/a&cert_path=/b&key_path=/c&server_name=other";
    const address = { kind: "tls", hostname: "Engine.example", port: 443, caPath: "/a", certPath: "/b", keyPath: "/c", serverName: "other" };
    expect(parseSocketTarget(parseRunnerUrl(url)).address).toEqual(address);
  });

  test.each(BAD)("%s is refused with %s", (url = "", code, hint = "") => {
    const error = caught(url);
    expect(error).toMatchObject({ code, hint: expect.stringContaining(hint) });
    expect(error.hint).not.toBe("");
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  test.each(GOOD)("%s is written as it was read", (url, address) => {
    expect(parseSocketTarget(parseRunnerUrl(formatSocketAddress(address))).address).toEqual(address);
    expect(formatSocketAddress(address).toLowerCase()).toBe(url.toLowerCase());
  });
});

function caught(url: string): RunnerError {
  try {
    parseSocketTarget(parseRunnerUrl(url));
  } catch (error) {
    if (RunnerError.is(error)) return error;
    throw error;
  }
  throw new Error(`${url} was accepted`);
}
