import type { Http2Connection } from "../http2/connection.ts";
import { openGrpcStream, type GrpcCallOptions } from "./client-stream.ts";
import type { ClientCodec, GrpcMethod, ServerCodec } from "./method.ts";
import type { GrpcCall, GrpcHandler } from "./serve-call.ts";
import { GrpcError, GrpcStatus } from "./status.ts";

/** One request, one response. Fails with a GrpcError, or with ABORTED (RunnerError) for the signal. */
export async function callUnary<RequestInit, Response>(
  connection: Http2Connection,
  method: GrpcMethod<ClientCodec<RequestInit, Response>>,
  request: RequestInit,
  options: GrpcCallOptions = {},
): Promise<Response> {
  const codec = await method.codec();
  const stream = openGrpcStream(connection, method.path, options);
  // A refused request shows up as the status of the answer, which says more than the failed write.
  stream.send(codec.encodeRequest(request)).catch(() => {});
  stream.end();
  return codec.decodeResponse(await onlyMessage(stream.messages));
}

/** A handler for a unary method: decodes the request, encodes what `respond` gives. */
export function unaryHandler<Request, ResponseInit>(
  method: GrpcMethod<ServerCodec<Request, ResponseInit>>,
  respond: (request: Request, call: GrpcCall) => ResponseInit | Promise<ResponseInit>,
): GrpcHandler {
  return async (call) => {
    const codec = await method.codec();
    const request = codec.decodeRequest(await onlyMessage(call.messages));
    await call.send(codec.encodeResponse(await respond(request, call)));
  };
}

async function onlyMessage(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let only: Uint8Array | undefined;
  for await (const message of messages) {
    if (only !== undefined) throw new GrpcError(GrpcStatus.INTERNAL, "more than one message on a unary call");
    only = message;
  }
  if (only === undefined) throw new GrpcError(GrpcStatus.INTERNAL, "no message on a unary call");
  return only;
}
