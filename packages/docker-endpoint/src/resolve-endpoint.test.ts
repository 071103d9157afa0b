import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { resolveDockerEndpoint, type ResolveDockerEndpointOptions } from "./resolve-endpoint.ts";

let home: string;
let folder: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  folder = join(home, ".docker");
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe("order", () => {
  beforeEach(async () => {
    await writeContext("from-variable", { Host: "unix:///variable.sock" });
    await writeContext("from-config", { Host: "unix:///config.sock" });
    await writeContext("explicit", { Host: "unix:///explicit.sock" });
  });
  const config = { currentContext: "from-config" };
  const all = { DOCKER_HOST: "tcp://variable:1", DOCKER_CONTEXT: "from-variable" };
  const variable = (name: string) => ({ kind: "environment", name });

  test.each<[string, object | undefined, Record<string, string>, Partial<ResolveDockerEndpointOptions>, object]>([
    ["nothing is configured", undefined, {}, {}, { host: "unix:///var/run/docker.sock", from: { kind: "default", name: "socket" } }],
    ["DOCKER_HOST beats the contexts", config, all, {}, { host: "tcp://variable:1", from: variable("DOCKER_HOST") }],
    [
      "an empty DOCKER_HOST counts as unset",
      config,
      { ...all, DOCKER_HOST: "" },
      {},
      { host: "unix:///variable.sock", context: "from-variable", from: variable("DOCKER_CONTEXT") },
    ],
    ["an explicit host beats all", config, all, { host: "unix:///h" }, { host: "unix:///h", from: { kind: "flag", name: "host" } }],
    [
      "an explicit context beats DOCKER_HOST",
      config,
      all,
      { context: "explicit" },
      { host: "unix:///explicit.sock", context: "explicit", from: { kind: "flag", name: "context" } },
    ],
    [
      "who gave it can be told",
      config,
      all,
      { host: "unix:///h", from: { kind: "project", name: "x.yaml" } },
      { host: "unix:///h", from: { kind: "project", name: "x.yaml" } },
    ],
    ["the context default is made of the environment", config, all, { context: "default" }, { host: "tcp://variable:1", from: variable("DOCKER_HOST") }],
    [
      "DOCKER_CONTEXT=default beats currentContext",
      config,
      { DOCKER_CONTEXT: "default" },
      {},
      { host: "unix:///var/run/docker.sock", from: { kind: "default", name: "socket" } },
    ],
    ["currentContext default", { currentContext: "default" }, {}, {}, { host: "unix:///var/run/docker.sock", from: { kind: "default", name: "socket" } }],
    ["a configuration without context", { auths: {} }, {}, {}, { host: "unix:///var/run/docker.sock", from: { kind: "default", name: "socket" } }],
  ])("%s", async (_name, content, env, options, expected) => {
    if (content !== undefined) await write("config.json", JSON.stringify(content));
    expect(await resolve(env, options)).toEqual(expected);
  });

  test("currentContext says its file", async () => {
    await write("config.json", JSON.stringify(config));
    expect(await resolve({})).toEqual({ host: "unix:///config.sock", context: "from-config", from: { kind: "user", name: join(folder, "config.json") } });
  });

  test("DOCKER_CONFIG moves the folder", async () => {
    const moved = join(home, "elsewhere");
    await mkdir(moved);
    await writeFile(join(moved, "config.json"), JSON.stringify({ currentContext: "x" }));
    await writeContext("x", { Host: "unix:///moved.sock" }, moved);
    expect(await resolve({ DOCKER_CONFIG: moved })).toMatchObject({ host: "unix:///moved.sock" });
  });

  test("an empty config.json counts as absent", async () => {
    await write("config.json", "");
    expect(await resolve({})).toMatchObject({ host: "unix:///var/run/docker.sock" });
  });

  test("DOCKER_API_VERSION fixes the version", async () => {
    expect(await resolve({ DOCKER_API_VERSION: "v1.30" })).toMatchObject({ apiVersion: "1.30" });
  });
});

describe("TLS", () => {
  test.each([
    ["DOCKER_TLS_VERIFY", { DOCKER_TLS_VERIFY: "1" }, false],
    ["any value counts", { DOCKER_TLS_VERIFY: "0" }, false],
    ["DOCKER_TLS alone doesn't verify", { DOCKER_TLS: "1" }, true],
    ["DOCKER_TLS_VERIFY beats DOCKER_TLS", { DOCKER_TLS: "1", DOCKER_TLS_VERIFY: "1" }, false],
  ])("%s", async (_name, env, skipVerify) => {
    await write("cert.pem", "");
    const name = "DOCKER_TLS_VERIFY" in env ? "DOCKER_TLS_VERIFY" : "DOCKER_TLS";
    expect(await resolve({ ...env, DOCKER_HOST: "tcp://h:2376" })).toEqual({
      host: "tcp://h:2376",
      from: { kind: "environment", name: "DOCKER_HOST" },
      tls: { caPath: join(folder, "ca.pem"), certPath: join(folder, "cert.pem"), skipVerify, from: { kind: "environment", name } },
    });
  });

  test("DOCKER_CERT_PATH moves the certificates", async () => {
    expect((await resolve({ DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/certs", DOCKER_HOST: "tcp://h" })).tls).toMatchObject({ caPath: "/certs/ca.pem" });
  });

  test("without a host it means the TLS port of this machine", async () => {
    expect(await resolve({ DOCKER_TLS_VERIFY: "1" })).toMatchObject({ host: "tcp://localhost:2376", from: { kind: "environment", name: "DOCKER_TLS_VERIFY" } });
  });

  test("sockets have none", async () => {
    expect((await resolve({ DOCKER_TLS_VERIFY: "1", DOCKER_HOST: "unix:///x" })).tls).toBeUndefined();
  });

  test("a context brings its own and ignores the environment's", async () => {
    const id = await writeContext("remote", { Host: "tcp://h:2376" });
    const tls = join("contexts", "tls", id, "docker");
    await write(join(tls, "ca.pem"), "");
    await write(join(tls, "key.pem"), "");
    const endpoint = await resolve({ DOCKER_TLS: "1", DOCKER_CONTEXT: "remote" });
    expect(endpoint.tls).toEqual({
      caPath: join(folder, tls, "ca.pem"),
      keyPath: join(folder, tls, "key.pem"),
      skipVerify: false,
      from: { kind: "environment", name: "DOCKER_CONTEXT" },
    });
  });

  test("a context can skip the check without any file", async () => {
    await writeContext("remote", { Host: "tcp://h:2376", SkipTLSVerify: true });
    expect((await resolve({ DOCKER_CONTEXT: "remote" })).tls).toMatchObject({ skipVerify: true });
  });

  test("a context without certificates is plain TCP, whatever the environment says", async () => {
    await writeContext("remote", { Host: "tcp://h:2375" });
    expect((await resolve({ DOCKER_CONTEXT: "remote", DOCKER_TLS_VERIFY: "1" })).tls).toBeUndefined();
  });
});

describe("mistakes", () => {
  test("an unknown context names the known ones and the nearest", async () => {
    await writeContext("build-host", { Host: "unix:///x" });
    await expect(resolve({ DOCKER_CONTEXT: "buld-host" })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      hint: 'did you mean "build-host"? known are build-host, default',
    });
  });

  test("a context without a Docker endpoint", async () => {
    await writeContext("kube", undefined);
    await expect(resolve({ DOCKER_CONTEXT: "kube" })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.stringContaining('"kube" has no Docker endpoint'),
    });
  });

  test("a broken config.json is told without its content", async () => {
    await write("config.json", '{"auths": {"r": {"auth": "c2VjcmV0"}}, oops');
    const error: unknown = await resolve({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining("config.json is no valid JSON") });
    expect(JSON.stringify(error)).not.toContain("c2VjcmV0");
  });

  test.each([
    ["a list", "[]"],
    ["a context that is no string", '{"currentContext": 1}'],
  ])("%s in config.json", async (_name, content) => {
    await write("config.json", content);
    await expect(resolve({})).rejects.toMatchObject({ code: "INVALID_CONFIG" });
  });

  test("host and context exclude each other", async () => {
    await expect(resolve({}, { host: "unix:///x", context: "y" })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
  });
});

function resolve(env: Readonly<Record<string, string>>, options: Partial<ResolveDockerEndpointOptions> = {}) {
  return resolveDockerEndpoint({ env: { HOME: home, ...env }, platform: "linux", ...options });
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

/** Lays a context out as docker/cli does. */
async function writeContext(name: string, docker: object | undefined, where = folder): Promise<string> {
  const id = createHash("sha256").update(name).digest("hex");
  const meta = join(where, "contexts", "meta", id);
  await mkdir(meta, { recursive: true });
  await writeFile(join(meta, "meta.json"), JSON.stringify({ Name: name, Metadata: {}, Endpoints: docker === undefined ? {} : { docker } }));
  return id;
}
