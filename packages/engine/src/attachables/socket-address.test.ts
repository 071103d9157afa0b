import { GrpcStatus } from "@anyrunner/protocol";
import { expect, test } from "vitest";
import { parseSocketAddress } from "./socket-address.ts";

test.each([
  ["unix:///run/agent.sock", { network: "unix", path: "/run/agent.sock" }],
  ["unix:///with%20space/a", { network: "unix", path: "/with space/a" }],
  ["unix:///run/agent.sock#client", { network: "unix", path: "/run/agent.sock" }],
  ["tcp://localhost:46003", { network: "tcp", host: "localhost", port: 46_003 }],
  ["tcp://[::1]:80", { network: "tcp", host: "::1", port: 80 }],
  ["tcp://:80", { network: "tcp", host: "localhost", port: 80 }],
  ["udp://10.0.0.1:53#client", { network: "udp", host: "10.0.0.1", port: 53 }],
])("%s", (text, address) => {
  expect(parseSocketAddress(text)).toEqual(address);
});

test.each([
  ["", "id is not set"],
  ["/run/agent.sock", 'invalid socket "/run/agent.sock": no URL'],
  ["npipe://x", 'invalid socket "npipe://x": unsupported scheme npipe'],
  ["tcp://localhost", 'invalid socket "tcp://localhost": no host and port'],
  ["tcp://localhost:70000", 'invalid socket "tcp://localhost:70000": no host and port'],
  ["unix:///%zz", 'invalid socket "unix:///%zz": a bad escape'],
])("%s is an invalid argument", (text, message) => {
  expect(() => parseSocketAddress(text)).toThrow(expect.objectContaining({ status: GrpcStatus.INVALID_ARGUMENT, message }));
});
