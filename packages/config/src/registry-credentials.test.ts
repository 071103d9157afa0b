import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerEvent } from "@anyrunner/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { parseHelperAnswer } from "./credential-helper.ts";
import { decodeDockerAuth, parseDockerConfig } from "./docker-config.ts";
import { registryCredentials } from "./registry-credentials.ts";

let home: string;
let env: Record<string, string>;
let events: RunnerEvent[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-login-"));
  env = { HOME: home, PATH: `${home}/bin:${process.env["PATH"]}` };
  events = [];
  await mkdir(join(home, ".docker"));
  await mkdir(join(home, "bin"));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
const configure = (config: unknown) => writeFile(join(home, ".docker/config.json"), typeof config === "string" ? config : JSON.stringify(config));
const ask = (host: string) => registryCredentials({ host, env, report: (event) => events.push(event) });

async function helper(name: string, script: string): Promise<void> {
  const file = join(home, "bin", `docker-credential-${name}`);
  await writeFile(file, script);
  await chmod(file, 0o755);
}

describe("registryCredentials", () => {
  test("no file, no entry: anonymous, silently", async () => {
    expect(await ask("ghcr.io")).toBeUndefined();
    await configure({ auths: { "ghcr.io": {} } });
    expect(await ask("ghcr.io")).toBeUndefined();
    expect(events).toEqual([]);
  });

  test.each([
    ["ghcr.io", { "ghcr.io": { auth: base64("me:pass:word") } }, { username: "me", secret: "pass:word" }],
    ["ghcr.io", { "https://ghcr.io/v1/": { auth: base64("me:pw") } }, { username: "me", secret: "pw" }],
    ["localhost:5000", { "localhost:5000": { username: "me", password: "pw" } }, { username: "me", secret: "pw" }],
    ["registry-1.docker.io", { "https://index.docker.io/v1/": { auth: base64("hub:pw") } }, { username: "hub", secret: "pw" }],
    ["docker.io", { "docker.io": { auth: base64("hub:pw") } }, { username: "hub", secret: "pw" }],
    ["ghcr.io", { "ghcr.io": { auth: base64("me:pw"), identitytoken: "token" } }, { username: "", secret: "token" }],
    ["ghcr.io", { "evil-ghcr.io": { auth: base64("me:pw") }, "ghcr.io:444": { auth: base64("me:pw") } }, undefined],
  ])("auths for %s", async (host, auths, expected) => {
    await configure({ auths });
    expect(await ask(host)).toEqual(expected);
  });

  test("DOCKER_CONFIG names another folder", async () => {
    env["DOCKER_CONFIG"] = join(home, "elsewhere");
    await mkdir(join(home, "elsewhere"));
    await writeFile(join(home, "elsewhere/config.json"), JSON.stringify({ auths: { "ghcr.io": { auth: base64("a:b") } } }));
    expect(await ask("ghcr.io")).toEqual({ username: "a", secret: "b" });
  });

  test("a host's own helper wins over the store, and is asked with the stored key", async () => {
    await configure({ auths: { "https://index.docker.io/v1/": {} }, credsStore: "none", credHelpers: { "docker.io": "mine" } });
    await helper("mine", `#!/bin/sh\ncat > ${home}/asked; printf '%s' "$*" > ${home}/args; echo '{"Username":"u","Secret":"s"}'\n`);
    expect(await ask("registry-1.docker.io")).toEqual({ username: "u", secret: "s" });
    expect(await readFile(join(home, "asked"), "utf8")).toBe("https://index.docker.io/v1/");
    expect(await readFile(join(home, "args"), "utf8")).toBe("get");
  });

  test("an identity token of a helper has no user name", async () => {
    await configure({ credsStore: "mine" });
    await helper("mine", `#!/bin/sh\necho '{"Username":"<token>","Secret":"s"}'\n`);
    expect(await ask("ghcr.io")).toEqual({ username: "", secret: "s" });
  });

  test("a helper that knows nothing is silent", async () => {
    await configure({ credsStore: "mine" });
    await helper("mine", `#!/bin/sh\necho 'credentials not found in native keychain'; exit 1\n`);
    expect(await ask("ghcr.io")).toBeUndefined();
    expect(events).toEqual([]);
  });

  test.each([
    ["is missing", undefined, /is not installed/],
    ["is made for another system", "MZ\u0000\u0001not for here", /can't be run here|exit code|no usable answer/],
    ["fails", "#!/bin/sh\necho secret-on-stderr >&2; exit 4\n", /exit code 4/],
    ["talks nonsense", "#!/bin/sh\necho hello\n", /no usable answer/],
  ])("a helper that %s is a warning, and auths still count", async (_, script, message) => {
    await configure({ credsStore: "mine", auths: { "ghcr.io": { auth: base64("me:pw") } } });
    if (script !== undefined) await helper("mine", script);
    expect(await ask("ghcr.io")).toEqual({ username: "me", secret: "pw" });
    expect(await ask("quay.io")).toBeUndefined();
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ type: "warning", id: "credential-helper-mine", message: expect.stringMatching(message) });
    expect(JSON.stringify(events)).not.toContain("secret-on-stderr");
  });

  test("a helper's name can't be a path", async () => {
    await configure({ credsStore: "x/../../evil" });
    expect(await ask("ghcr.io")).toBeUndefined();
    expect(events).toHaveLength(1);
  });

  test("an abort is passed on", async () => {
    await configure({ credsStore: "mine" });
    await expect(registryCredentials({ host: "ghcr.io", env, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("a broken file is a warning", async () => {
    await configure("{");
    expect(await ask("ghcr.io")).toBeUndefined();
    expect(events).toMatchObject([{ id: "docker-config" }]);
  });
});

describe("parsers", () => {
  test("any JSON is a Docker configuration", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const text = JSON.stringify(value) ?? "";
        const config = parseDockerConfig(text, "/f");
        for (const entry of Object.values(config.auths)) decodeDockerAuth(entry);
      }),
    );
    expect(Object.keys(parseDockerConfig('{"auths":{"__proto__":{"auth":"x"}}}', "/f").auths)).toEqual(["__proto__"]);
  });

  test("every user and password survives the encoding", () => {
    const user = fc.string({ minLength: 1 }).filter((text) => !text.includes(":"));
    const password = fc.string().filter((text) => !text.endsWith("\0"));
    fc.assert(
      fc.property(user, password, (username, secret) => {
        expect(decodeDockerAuth({ auth: base64(`${username}:${secret}`) })).toEqual({ username, secret });
      }),
    );
  });

  test("any output of a helper is an answer or none", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const answer = parseHelperAnswer(text);
        expect(answer === undefined || typeof answer.secret === "string").toBe(true);
      }),
    );
  });
});
