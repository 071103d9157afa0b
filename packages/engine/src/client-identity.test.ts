import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientMetadataHeader } from "@anyrunner/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { createClientMetadata } from "./client-identity.ts";

const metadata = (env: Record<string, string>) => createClientMetadata({ clientVersion: "v0.21.8", env });

describe("the agent", () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), "anyrunner-test-agent-"));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };

  test("is named when its socket is there", async () => {
    const path = join(folder(), "agent.sock");
    const server = createServer().listen(path);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    expect(metadata({ SSH_AUTH_SOCK: path }).sshAuthSocketPath).toBe(path);
  });

  test.runIf(process.platform !== "win32")("is not named when the variable is empty or points nowhere, at a file, or below one", () => {
    const file = join(folder(), "file");
    writeFileSync(file, "");
    for (const path of ["", `${file}-none`, file, `${file}/below`]) expect(metadata({ SSH_AUTH_SOCK: path })).not.toHaveProperty("sshAuthSocketPath");
  });
});

test("the client's id is a word that can be a file name, unless the environment gives one", () => {
  expect(metadata({}).clientId).toMatch(/^[a-z0-9]{25}$/);
  expect(metadata({ DAGGER_SESSION_CLIENT_ID: "mine" }).clientId).toBe("mine");
});

test("there are always labels: engine 0.14 dies of a header without them", () => {
  expect(JSON.parse(Buffer.from(clientMetadataHeader(metadata({})), "base64").toString())).toHaveProperty("labels", {});
});

test.each([
  ["1", true],
  ["true", true],
  ["0", undefined],
])("DO_NOT_TRACK=%s", (value, doNotTrack) => {
  expect(metadata({ DO_NOT_TRACK: value }).doNotTrack).toBe(doNotTrack);
});

test("the modules that may use a model are those of the official client's variable, and what the caller says wins", () => {
  const made = (env: Readonly<Record<string, string>>, allowed?: readonly string[]) =>
    createClientMetadata({ clientVersion: "v0.21.8", env, ...(allowed !== undefined && { extra: { allowedLlmModules: allowed } }) }).allowedLlmModules;
  expect(made({})).toBeUndefined();
  expect(made({ DAGGER_ALLOW_LLM: "" })).toBeUndefined();
  expect(made({ DAGGER_ALLOW_LLM: "all" })).toEqual(["all"]);
  expect(made({ DAGGER_ALLOW_LLM: "github.com/a/b,https://c.example/d.git" })).toEqual(["github.com/a/b", "https://c.example/d.git"]);
  expect(made({ DAGGER_ALLOW_LLM: "all" }, ["github.com/a/b"])).toEqual(["github.com/a/b"]);
});
