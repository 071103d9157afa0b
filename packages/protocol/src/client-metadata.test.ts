import { describe, expect, test } from "vitest";

import { clientMetadataHeader, parseClientMetadata } from "./client-metadata.ts";
import { parseRequestHead } from "./http1/message-head.ts";
import { recordedChunks } from "./recordings.fixture.ts";

const VECTOR = "eyJjbGllbnRfaWQiOiJjMSIsImNsaWVudF9zZWNyZXRfdG9rZW4iOiJzMSIsInNlc3Npb25faWQiOiJ4MSIsImNsaWVudF92ZXJzaW9uIjoidjAuMjEuOCJ9";
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

describe("client metadata", () => {
  test("the vector", () => {
    const metadata = { clientId: "c1", clientSecretToken: "s1", sessionId: "x1", clientVersion: "v0.21.8" };
    expect(clientMetadataHeader(metadata)).toBe(VECTOR);
    expect(parseClientMetadata(VECTOR)).toEqual(metadata);
  });

  test("everything goes there and back, in UTF-8; what is undefined stays out", () => {
    const metadata = {
      clientId: "c",
      clientSecretToken: "s",
      sessionId: "x",
      clientHostname: "rechnerzwölf",
      labels: { "dagger.io/git.title": "ü" },
      interactiveCommand: ["sh"],
      extraModules: [{ ref: "m", entrypoint: true }],
      loadWorkspaceModules: false,
    };
    expect(parseClientMetadata(clientMetadataHeader({ ...metadata, workspace: undefined }))).toEqual(metadata);
  });

  test("what the official client says", () => {
    const [first] = recordedChunks("version", "conn2");
    const header = parseRequestHead(first?.bytes ?? Buffer.alloc(0))?.headers.get("X-Dagger-Client-Metadata");
    expect(parseClientMetadata(header)).toMatchObject({
      clientId: expect.stringMatching(/^[a-z0-9]{25}$/),
      clientHostname: "vm",
      clientStableId: expect.any(String),
      clientVersion: expect.stringMatching(/^v0\.21\./),
      labels: expect.any(Object),
    });
  });

  test("null counts as absent, unknown keys are ignored", () => {
    expect(parseClientMetadata(encode({ client_id: "c", client_secret_token: "s", session_id: "x", interactive_command: null, whatever: 1 }))).toEqual({
      clientId: "c",
      clientSecretToken: "s",
      sessionId: "x",
    });
  });

  test.each([
    [undefined, "failed to get client metadata"],
    ["%%%", "failed to get client metadata"],
    [encode([]), "failed to get client metadata"],
    [encode({}), "session ID is required"],
    [encode({ session_id: "x" }), "client ID is required"],
    [encode({ session_id: "x", client_id: "c", client_secret_token: "" }), "client secret token is required"],
  ])("%j: %s", (header, message) => expect(() => parseClientMetadata(header)).toThrow(message));
});
