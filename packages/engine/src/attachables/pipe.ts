import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Pipe, type GrpcCall, type GrpcRoutes } from "@anyrunner/protocol";
import { decodeBytesMessage, encodeBytesMessage } from "@anyrunner/filesync";

/** Two streams that a program of the engine, such as a language server, talks through. */
export interface ClientPipe {
  readonly input: Readable;
  readonly output: Writable;
}

/** A byte pipe to the embedder's streams (engine protocol 5.11); not offered without them. */
export function pipeRoutes({ pipe }: { readonly pipe?: ClientPipe | undefined }): GrpcRoutes {
  if (pipe === undefined) return {};
  const io = (call: GrpcCall) => connectPipe(call, pipe);
  // Engines of 0.18 have no package in the name.
  return { [Pipe.io.path]: io, "/Pipe/IO": io };
}

/** Lasts until the engine ends or cancels the call. The streams stay open: they are not ours. */
async function connectPipe(call: GrpcCall, { input, output }: ClientPipe): Promise<void> {
  let connected = true;
  const onData = (data: Buffer | string) => {
    input.pause();
    call.send(encodeBytesMessage(Buffer.from(data as Buffer))).then(
      () => void (connected && input.resume()),
      () => {},
    );
  };
  input.on("data", onData).resume();
  try {
    for await (const message of call.messages) {
      if (!output.write(decodeBytesMessage(message))) await once(output, "drain", { signal: call.signal });
    }
  } catch (error) {
    if (!call.signal.aborted) throw error;
  } finally {
    connected = false;
    input.off("data", onData).pause();
  }
}
