import { describe, expect, test } from "vitest";

import { dockerStatusError, dockerTransportError } from "./docker-error.ts";
import type { DockerEndpoint } from "./resolve-endpoint.ts";

const socket: DockerEndpoint = { host: "unix:///var/run/docker.sock", from: { kind: "default", name: "socket" } };
const tls: DockerEndpoint = {
  host: "tcp://h:2376",
  from: { kind: "environment", name: "DOCKER_HOST" },
  tls: { caPath: "/certs/ca.pem", skipVerify: false, from: { kind: "environment", name: "DOCKER_TLS_VERIFY" } },
};

describe("transport", () => {
  test.each([
    ["ENOENT", "CONNECTION_REFUSED", false, "start it"],
    ["ECONNREFUSED", "CONNECTION_REFUSED", false, "start it"],
    ["EHOSTUNREACH", "CONNECTION_REFUSED", false, "network"],
    ["EACCES", "PERMISSION_DENIED", false, "group"],
    ["EPERM", "PERMISSION_DENIED", false, "group"],
    ["ENOTFOUND", "NAME_NOT_RESOLVED", false, "resolver"],
    ["EAI_AGAIN", "NAME_NOT_RESOLVED", false, "resolver"],
    ["ETIMEDOUT", "TIMEOUT", true, "firewall"],
    ["ECONNRESET", "CONNECTION_LOST", true, "daemon"],
    ["EPIPE", "CONNECTION_LOST", true, "daemon"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "TLS_FAILED", false, "DOCKER_TLS_VERIFY"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "TLS_FAILED", false, "DOCKER_TLS_VERIFY"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "TLS_FAILED", false, "DOCKER_TLS_VERIFY"],
    ["CERT_HAS_EXPIRED", "TLS_FAILED", false, "DOCKER_TLS_VERIFY"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "TLS_FAILED", false, "DOCKER_TLS_VERIFY"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLS_FAILED", false, "DOCKER_TLS_VERIFY"],
    ["EPROTO", "TLS_FAILED", false, "DOCKER_TLS_VERIFY"],
    ["HPE_INVALID_CONSTANT", "WRONG_SERVER", false, "TLS"],
    ["EWHATEVER", "INTERNAL", false, ""],
  ])("%s is %s", (errno, code, retryable, hint) => {
    const cause = Object.assign(new Error("node's words"), { code: errno });
    const error = dockerTransportError(cause, socket);
    expect(error).toMatchObject({ code, retryable, cause, details: { host: socket.host, errno } });
    expect(error.hint ?? "").toContain(hint);
    expect(error.message).toContain("unix:///var/run/docker.sock (default socket)");
  });

  test("certificates in use are named", () => {
    const error = dockerTransportError(Object.assign(new Error("self-signed"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }), tls);
    expect(error).toMatchObject({ code: "TLS_FAILED", hint: "check /certs/ca.pem", message: expect.stringContaining("tcp://h:2376 (variable DOCKER_HOST)") });
  });

  test("several addresses that all fail count as the first", () => {
    const refused = Object.assign(new Error(""), { code: "ECONNREFUSED" });
    expect(dockerTransportError(new AggregateError([refused, refused]), tls)).toMatchObject({
      code: "CONNECTION_REFUSED",
      hint: expect.stringContaining("address"),
    });
  });

  test("what is ours already stays", () => {
    const error = dockerTransportError(undefined, socket);
    expect(dockerTransportError(error, tls)).toBe(error);
  });
});

describe("status", () => {
  test.each([
    [400, "invalid reference format", "INVALID_OPTION", false],
    [400, "client version 1.51 is too new. Maximum supported API version is 1.41", "VERSION_MISMATCH", false],
    [400, "client version 1.24 is too old. Minimum supported API version is 1.44", "VERSION_MISMATCH", false],
    [400, "Client sent an HTTP request to an HTTPS server.", "TLS_FAILED", false],
    [401, "unauthorized", "AUTH_FAILED", false],
    [403, "authorization denied by plugin", "PERMISSION_DENIED", false],
    [404, "No such container: x", "NOT_FOUND", false],
    [404, "page not found", "UNSUPPORTED", false],
    [404, "404 page not found", "UNSUPPORTED", false],
    [405, "", "UNSUPPORTED", false],
    [409, "Container 1234 is not running", "NOT_RUNNING", false],
    [409, "Container x is paused, unpause the container before exec", "NOT_RUNNING", false],
    [409, "Container x is restarting, wait until the container is running", "NOT_RUNNING", true],
    [409, "can only create exec sessions on running containers: container state improper", "NOT_RUNNING", false],
    [409, 'Conflict. The container name "/x" is already in use by container "1"', "ALREADY_EXISTS", false],
    [409, "removal of container x is already in progress", "ALREADY_EXISTS", true],
    [500, "OCI runtime create failed", "COMMAND_FAILED", false],
    [501, "not implemented", "UNSUPPORTED", false],
    [502, "bad gateway", "CONNECTION_LOST", true],
    [503, "", "CONNECTION_LOST", true],
  ])("%i %s is %s", (status, message, code, retryable) => {
    expect(dockerStatusError(status, message, socket)).toMatchObject({ code, retryable, details: { status, host: socket.host } });
  });

  test("the daemon's sentence begins in lower case; one without words gets some", () => {
    expect(dockerStatusError(404, "No such container: X", socket).message).toBe("no such container: X");
    expect(dockerStatusError(500, "OCI runtime", socket).message).toBe("OCI runtime");
    expect(dockerStatusError(503, "", socket).message).toBe("the Docker daemon at unix:///var/run/docker.sock answered with status 503");
  });
});
