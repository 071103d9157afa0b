import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { duplexPair, GrpcError, openGrpcStream, openHttp2Connection, serveGrpc, type GrpcMetadataInit, type GrpcStream } from "@anyrunner/protocol";
import { onTestFinished } from "vitest";
import type { AttachableSettings } from "./attachable-settings.ts";
import { createAttachables, type Attachables } from "./create-attachables.ts";

export interface TestAnswer {
  readonly messages: readonly Uint8Array[];
  /** 0 for OK. */
  readonly status: number;
  readonly message: string;
}

export interface TestEngine {
  readonly attachables: Attachables;
  /** Opens a call as the engine does. */
  open(path: string, metadata?: GrpcMetadataInit): GrpcStream;
  /** Sends messages, half-closes and reads the whole answer. */
  call(path: string, metadata?: GrpcMetadataInit, messages?: readonly Uint8Array[]): Promise<TestAnswer>;
}

/** Attachables served on a stream in memory, and the engine's end of it. */
export function startAttachables(settings: Partial<AttachableSettings> = {}): TestEngine {
  const attachables = createAttachables({ env: {}, cwd: "/", home: "/home/nobody", gitignore: "mark", ...settings });
  const [ours, theirs] = duplexPair();
  const server = serveGrpc(ours, attachables.routes);
  const connection = openHttp2Connection(theirs);
  onTestFinished(async () => {
    connection.destroy();
    server.destroy();
    await attachables.close();
  });
  const open = (path: string, metadata?: GrpcMetadataInit) => openGrpcStream(connection, path, { metadata });
  return {
    attachables,
    open,
    async call(path, metadata, messages = []) {
      const stream = open(path, metadata);
      for (const message of messages) await stream.send(message).catch(() => {});
      stream.end();
      const answered: Uint8Array[] = [];
      try {
        for await (const message of stream.messages) answered.push(message);
      } catch (error) {
        if (!GrpcError.is(error)) throw error;
        return { messages: answered, status: error.status, message: error.message };
      }
      return { messages: answered, status: 0, message: "" };
    },
  };
}

/** A directory that is removed when the test is over; its real path. Content by path: text, null for a directory, or a link. */
export function makeDirectory(tree: Readonly<Record<string, string | null | { readonly link: string }>> = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "anyrunner-test-attachables-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (content === null) mkdirSync(join(root, path), { recursive: true });
    else if (typeof content === "string") writeFileSync(join(root, path), content);
    else symlinkSync(content.link, join(root, path));
  }
  return root;
}
