import { describe, expect, test } from "vitest";

import { defaultDockerHost, formatDockerAddress, parseDockerHost } from "./docker-host.ts";

describe("docker host", () => {
  test.each([
    ["unix:///var/run/docker.sock", { kind: "unix", path: "/var/run/docker.sock" }, "unix:///var/run/docker.sock"],
    ["unix://", { kind: "unix", path: "/var/run/docker.sock" }, "unix:///var/run/docker.sock"],
    [" unix:///x ", { kind: "unix", path: "/x" }, "unix:///x"],
    ["tcp://build.example:2376", { kind: "tcp", hostname: "build.example", port: 2376, basePath: "" }, "tcp://build.example:2376"],
    ["tcp://build.example", { kind: "tcp", hostname: "build.example", port: 2375, basePath: "" }, "tcp://build.example:2375"],
    ["tcp://:2376", { kind: "tcp", hostname: "localhost", port: 2376, basePath: "" }, "tcp://localhost:2376"],
    ["tcp://", { kind: "tcp", hostname: "localhost", port: 2375, basePath: "" }, "tcp://localhost:2375"],
    ["tcp://[::1]:80", { kind: "tcp", hostname: "::1", port: 80, basePath: "" }, "tcp://[::1]:80"],
    ["tcp://h:1/docker/", { kind: "tcp", hostname: "h", port: 1, basePath: "/docker" }, "tcp://h:1/docker"],
    ["build.example:2375", { kind: "tcp", hostname: "build.example", port: 2375, basePath: "" }, "tcp://build.example:2375"],
    ["npipe:////./pipe/docker_engine", { kind: "npipe", path: String.raw`\\.\pipe\docker_engine` }, "npipe:////./pipe/docker_engine"],
    ["ssh://me@build.example", { kind: "ssh", url: "ssh://me@build.example" }, "ssh://me@build.example"],
  ])("%s", (text, address, complete) => {
    expect(parseDockerHost(text)).toEqual(address);
    expect(formatDockerAddress(parseDockerHost(text))).toBe(complete);
    expect(parseDockerHost(complete)).toEqual(address);
  });

  test.each(["http://h:2375", "fd://", "tcp://h:0", "tcp://h:70000", "tcp://h:port", "tcp://h?x=1", "tcp://user:secret@h:1", "tcp://a:1:2"])(
    "%s is refused",
    (text) => {
      expect(() => parseDockerHost(text)).toThrow(expect.objectContaining({ code: "INVALID_CONFIG", message: expect.not.stringContaining("secret") }));
    },
  );

  test.each([
    ["linux", false, "unix:///var/run/docker.sock"],
    ["darwin", false, "unix:///var/run/docker.sock"],
    ["win32", false, "npipe:////./pipe/docker_engine"],
    ["linux", true, "tcp://localhost:2376"],
    ["win32", true, "tcp://localhost:2376"],
  ] as const)("the default on %s, TLS %s", (platform, tls, host) => {
    expect(defaultDockerHost({ platform, tls })).toBe(host);
  });
});
