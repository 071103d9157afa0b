import { delimiter } from "node:path";
import { Git, GitErrorType } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import type { AttachableSettings } from "./attachable-settings.ts";
import { makeDirectory, startAttachables } from "./test-attachables.ts";
import { makeProgramShims } from "./test-program-shim.ts";

type Request = { readonly protocol: string; readonly host: string; readonly path?: string };

async function getCredential(request: Request, settings: Partial<AttachableSettings>, path: string = Git.getCredential.path) {
  const codec = await Git.getCredential.codec();
  const { messages, status } = await startAttachables(settings).call(path, {}, [codec.encodeRequest(request)]);
  expect(status).toBe(0);
  return messages.map((bytes) => codec.decodeResponse(bytes).result)[0];
}

async function getConfig(settings: Partial<AttachableSettings>, path: string = Git.getConfig.path) {
  const codec = await Git.getConfig.codec();
  const { messages, status } = await startAttachables(settings).call(path, {}, [codec.encodeRequest({})]);
  expect(status).toBe(0);
  return messages.map((bytes) => codec.decodeResponse(bytes).result)[0];
}

/** A home whose git, the system's own, has this configuration. */
function homeWith(files: Readonly<Record<string, string>>) {
  const home = makeDirectory(files);
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, GIT_CONFIG_NOSYSTEM: "1" };
  return { home, cwd: home, env };
}

const EXAMPLE: Request = { protocol: "https", host: "example.com", path: "owner/repository" };
const HELPER = `[credential]\n\thelper = "!f() { test \\"$1\\" = get && echo username=me && echo password=hunter2; }; f"\n`;

describe("credentials, by the system's git", () => {
  test.each([Git.getCredential.path, "/Git/GetCredential", "/GitCredential/GetCredential"])("%s: what a helper knows", async (path) => {
    expect(await getCredential(EXAMPLE, homeWith({ ".gitconfig": HELPER }), path)).toMatchObject({
      case: "credential",
      value: { protocol: "https", host: "example.com", username: "me", password: "hunter2" },
    });
  });

  test("without any, the failure of git is inside the answer; nobody is asked", async () => {
    const settings = homeWith({});
    const asking = { ...settings, env: { ...settings.env, SSH_ASKPASS: "/bin/false", GIT_ASKPASS: "/bin/false" } };
    expect(await getCredential(EXAMPLE, asking)).toMatchObject({
      case: "error",
      value: { type: GitErrorType.CREDENTIAL_RETRIEVAL_FAILED, message: expect.stringContaining("terminal prompts disabled") },
    });
  });

  test("~/.netrc is asked next, for http and https only", async () => {
    const settings = homeWith({ ".netrc": "machine other.example login a password b\nmachine example.com\n  login me\n  password hunter2\n" });
    expect(await getCredential(EXAMPLE, settings)).toMatchObject({ case: "credential", value: { username: "me", password: "hunter2" } });
    expect(await getCredential({ ...EXAMPLE, host: "none.example" }, settings)).toMatchObject({ case: "error" });
    expect(await getCredential({ ...EXAMPLE, protocol: "ssh" }, settings)).toMatchObject({ case: "error" });
  });

  test.each([
    ["no host", { protocol: "https", host: "" }],
    ["no protocol", { protocol: "", host: "example.com" }],
    ["a line break", { protocol: "https", host: "example.com\nhost=other.example" }],
  ])("%s is an invalid request", async (_, request) => {
    expect(await getCredential(request, homeWith({ ".gitconfig": HELPER }))).toMatchObject({ case: "error", value: { type: GitErrorType.INVALID_REQUEST } });
  });

  test("no git at all is said as such, and ~/.netrc still helps", async () => {
    const home = makeDirectory({ ".netrc": "default login me password hunter2" });
    const settings = { cwd: home, env: { PATH: makeDirectory() } };
    expect(await getCredential(EXAMPLE, { ...settings, home: makeDirectory() })).toMatchObject({
      case: "error",
      value: { type: GitErrorType.NOT_FOUND, message: "git is not installed or not in PATH" },
    });
    expect(await getCredential(EXAMPLE, { ...settings, home })).toMatchObject({ case: "credential", value: { username: "me" } });
  });

  test("one git runs at a time", async () => {
    const folder = makeDirectory();
    // Each helper fails when it finds another one's mark.
    const script = `mkdir ${folder}/busy || exit 1; sleep 0.05; rmdir ${folder}/busy; echo username=me; echo password=hunter2`;
    const settings = homeWith({ ".gitconfig": `[credential]\n\thelper = "!f() { test \\"$1\\" = get && { ${script}; }; }; f"\n` });
    const codec = await Git.getCredential.codec();
    const engine = startAttachables(settings);
    const answers = await Promise.all(Array.from({ length: 4 }, () => engine.call(Git.getCredential.path, {}, [codec.encodeRequest(EXAMPLE)])));
    const results = answers.map(({ messages }) => codec.decodeResponse(messages[0] ?? new Uint8Array()).result.case);
    expect(results).toEqual(["credential", "credential", "credential", "credential"]);
  });

  test("how git is called (by a stand-in)", async () => {
    const shims = makeProgramShims({ git: { stdout: "username=me\npassword=a=b\n" } });
    expect(await getCredential(EXAMPLE, { cwd: "/", env: shims.env })).toMatchObject({
      value: { protocol: "https", host: "example.com", username: "me", password: "a=b" },
    });
    expect(shims.calls()).toMatchObject([
      {
        args: ["credential", "fill"],
        env: { GIT_ASKPASS: "", GIT_TERMINAL_PROMPT: "0" },
        input: "protocol=https\nhost=example.com\npath=owner/repository\n\n",
      },
    ]);
  });
});

describe("configuration, by the system's git", () => {
  test.each([Git.getConfig.path, "/Git/GetConfig"])("%s: only what rewrites addresses", async (path) => {
    const gitconfig =
      '[user]\n\tname = me\n[url "ssh://git@github.com/"]\n\tinsteadOf = https://github.com/\n[url "x"]\n\tinsteadOf =\n[http]\n\textraHeader = secret\n';
    expect(await getConfig(homeWith({ ".gitconfig": gitconfig }), path)).toMatchObject({
      case: "config",
      value: { entries: [{ key: "url.ssh://git@github.com/.insteadof", value: "https://github.com/" }] },
    });
  });

  test("the configuration of the repository that we stand in is not read", async () => {
    const settings = homeWith({ ".git/config": '[core]\n\trepositoryformatversion = 0\n[url "x"]\n\tinsteadOf = y\n', ".git/HEAD": "ref: refs/heads/main\n" });
    expect(await getConfig(settings)).toMatchObject({ case: "config", value: { entries: [] } });
  });

  test("no git and a broken configuration are failures inside the answer", async () => {
    expect(await getConfig({ env: { PATH: [makeDirectory()].join(delimiter) } })).toMatchObject({ case: "error", value: { type: GitErrorType.NOT_FOUND } });
    expect(await getConfig(homeWith({ ".gitconfig": "[broken" }))).toMatchObject({
      case: "error",
      value: { type: GitErrorType.CONFIG_RETRIEVAL_FAILED },
    });
  });
});
