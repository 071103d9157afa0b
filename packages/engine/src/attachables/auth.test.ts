import { Auth, GrpcStatus } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import type { AttachableSettings } from "./attachable-settings.ts";
import { startAttachables } from "./test-attachables.ts";

async function credentials(settings: Partial<AttachableSettings>) {
  const codec = await Auth.credentials.codec();
  const { messages, status, message } = await startAttachables(settings).call(Auth.credentials.path, {}, [codec.encodeRequest({ host: "registry.example" })]);
  return { answers: messages.map((bytes) => codec.decodeResponse(bytes)), status, message, bytes: messages.map((bytes) => bytes.length) };
}

describe("registry credentials", () => {
  test("come from the lookup, by host", async () => {
    const told: string[] = [];
    const found = await credentials({ credentials: async (host) => ({ username: "me", secret: `for ${host}` }), onSecret: (value) => told.push(value) });
    expect(told).toEqual(["for registry.example"]);
    expect(found).toMatchObject({ status: 0, answers: [{ username: "me", secret: "for registry.example" }] });
  });

  test.each([
    ["no lookup", {}],
    ["nothing found", { credentials: async () => undefined }],
  ] satisfies [string, Partial<AttachableSettings>][])("%s is an empty answer, which is anonymous", async (_, settings) => {
    expect(await credentials(settings)).toMatchObject({ status: 0, bytes: [0] });
  });

  test("a lookup that fails fails the call with its message", async () => {
    const broken = async () => {
      throw new Error("the credential helper docker-credential-x is missing");
    };
    expect(await credentials({ credentials: broken })).toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: "the credential helper docker-credential-x is missing",
    });
  });
});
