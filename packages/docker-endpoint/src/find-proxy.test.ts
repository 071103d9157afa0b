import { describe, expect, test } from "vitest";

import { findProxy, type FindProxyOptions } from "./find-proxy.ts";

const proxyOf = (env: FindProxyOptions["env"], { hostname = "docker.example", port = 2376, tls = true } = {}) => findProxy({ hostname, port, tls, env });

test("TLS has its own variable, and upper case goes first", () => {
  const env = { HTTP_PROXY: "http://plain:1", http_proxy: "http://other:1", https_proxy: "secure:2" };
  expect(proxyOf(env)).toMatchObject({ variable: "https_proxy", url: { href: "http://secure:2/" } });
  expect(proxyOf(env, { tls: false })).toMatchObject({ variable: "HTTP_PROXY", url: { host: "plain:1" } });
  expect(proxyOf({ HTTPS_PROXY: "" })).toBeUndefined();
});

test.each(["localhost", "127.0.0.1", "127.1.2.3", "::1"])("%s is reached without", (hostname) => {
  expect(proxyOf({ HTTPS_PROXY: "http://p:1" }, { hostname })).toBeUndefined();
});

describe("NO_PROXY", () => {
  test.each([
    ["*", "docker.example", true],
    ["docker.example", "docker.example", true],
    ["example", "docker.example", true],
    [".example", "docker.example", true],
    ["*.example", "docker.example", true],
    [".docker.example", "docker.example", false],
    ["ample", "docker.example", false],
    ["other, DOCKER.example:2376", "docker.example", true],
    ["docker.example:2375", "docker.example", false],
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "11.1.2.3", false],
    ["10.0.0.0/8", "docker.example", false],
    ["fd00::/8", "fd00::5", true],
    ["[fd00::5]:2376", "fd00::5", true],
    ["10.1.2.3", "10.1.2.3", true],
  ])("%s and %s", (list, hostname, excluded) => {
    expect(proxyOf({ HTTPS_PROXY: "http://p:1", NO_PROXY: list }, { hostname }) === undefined).toBe(excluded);
  });
});

test.each([
  ["socks5://p:1", "socks5:"],
  ["http://", "no URL"],
])("%s is INVALID_CONFIG", (value, words) => {
  expect(() => proxyOf({ HTTPS_PROXY: value })).toThrow(expect.objectContaining({ code: "INVALID_CONFIG", message: expect.stringContaining(words) }));
});
