import { GrpcStatus, Secrets } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import type { AttachableSettings } from "./attachable-settings.ts";
import { makeDirectory, startAttachables } from "./test-attachables.ts";

async function getSecret(id: string, settings: Partial<AttachableSettings> = {}): Promise<{ text: string; status: number; message: string }> {
  const codec = await Secrets.getSecret.codec();
  const { messages, status, message } = await startAttachables(settings).call(Secrets.getSecret.path, {}, [codec.encodeRequest({ id })]);
  return { text: messages.map((bytes) => Buffer.from(codec.decodeResponse(bytes).data).toString("latin1")).join(), status, message };
}

describe("secrets", () => {
  test("of the environment, the empty one too", async () => {
    expect(await getSecret("env://TOKEN", { env: { TOKEN: "täs" } })).toMatchObject({ text: Buffer.from("täs").toString("latin1"), status: 0 });
    expect(await getSecret("env://EMPTY", { env: { EMPTY: "" } })).toMatchObject({ text: "", status: 0 });
  });

  test("are told to whoever hides them", async () => {
    const told: string[] = [];
    await getSecret("env://TOKEN", { env: { TOKEN: "täs" }, onSecret: (value) => told.push(value) });
    expect(told).toEqual(["täs"]);
  });

  test("of files: absolute, relative and in the home, byte for byte", async () => {
    const root = makeDirectory({ "cwd/a": "one\n", "home/b": "two" });
    const settings = { cwd: `${root}/cwd`, home: `${root}/home` };
    expect((await getSecret(`file://${root}/cwd/a`, settings)).text).toBe("one\n");
    expect((await getSecret("file://a", settings)).text).toBe("one\n");
    expect((await getSecret("file://~/b", settings)).text).toBe("two");
  });

  test.skipIf(process.platform === "win32")("of commands: what they print, with our environment and directory", async () => {
    const cwd = makeDirectory({ file: "from a file" });
    const env = { PATH: process.env["PATH"], WORD: "word" };
    expect((await getSecret("cmd://echo $WORD; cat file", { cwd, env })).text).toBe("word\nfrom a file");
  });

  test.each([
    ["env://MISSING_VARIABLE", 'secret env var not found: "MIS..."'],
    ["env://AB", 'secret env var not found: "AB"'],
    ["file:///none/at/all", 'failed to read secret file "/none/at/all": open /none/at/all: no such file or directory'],
    ["file://~/b", 'failed to read secret file "/none/b": open /none/b: no such file or directory'],
    ["file:///", 'failed to read secret file "/": read /: is a directory'],
  ])("%s: the message says what is wrong, with the status of the official client", async (id, message) => {
    expect(await getSecret(id, { home: "/none" })).toEqual({ text: "", status: GrpcStatus.UNKNOWN, message });
  });

  test("a command that fails tells its exit status, nothing it said", async () => {
    const failed = await getSecret("cmd://echo hunter2; echo hunter3 >&2; exit 7", { env: { PATH: process.env["PATH"] } });
    expect(failed).toEqual({ text: "", status: GrpcStatus.UNKNOWN, message: "failed to run the secret command: exit status 7" });
  });

  test("another scheme is refused by its name, without the rest", async () => {
    const refused = await getSecret("keychain://hunter2");
    expect(refused.status).toBe(GrpcStatus.UNKNOWN);
    expect(refused.message).toContain("keychain://");
    expect(refused.message).not.toContain("hunter2");
  });

  test("what is no URI is an invalid argument, and not repeated", async () => {
    const refused = await getSecret("hunter2");
    expect(refused.status).toBe(GrpcStatus.INVALID_ARGUMENT);
    expect(refused.message).not.toContain("hunter2");
  });
});
