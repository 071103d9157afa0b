import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

/** Bytes of messages and back. What is encoded may leave fields out; what was decoded has them all. */
export interface GrpcCodec<RequestInit, Request, ResponseInit, Response> {
  encodeRequest(request: RequestInit): Uint8Array;
  decodeRequest(bytes: Uint8Array): Request;
  encodeResponse(response: ResponseInit): Uint8Array;
  decodeResponse(bytes: Uint8Array): Response;
}

/**
 * A method of a service: its path, and its codec when somebody asks for it. The descriptors of protobuf-es cost more time at
 * start than a whole call, so they load with the first message.
 */
export interface GrpcMethod<RequestInit = unknown, Request = unknown, ResponseInit = unknown, Response = unknown> {
  readonly path: string;
  codec(): Promise<GrpcCodec<RequestInit, Request, ResponseInit, Response>>;
}

type MethodOf<Input extends DescMessage, Output extends DescMessage> = DescMethod & { readonly input: Input; readonly output: Output };

/** A method whose messages protobuf-es knows; `load` imports its generated file. */
export function protobufMethod<Input extends DescMessage, Output extends DescMessage>(
  path: string,
  load: () => Promise<MethodOf<Input, Output>>,
): GrpcMethod<MessageInitShape<Input>, MessageShape<Input>, MessageInitShape<Output>, MessageShape<Output>> {
  let codec: Promise<GrpcCodec<MessageInitShape<Input>, MessageShape<Input>, MessageInitShape<Output>, MessageShape<Output>>> | undefined;
  return {
    path,
    codec: () => (codec ??= makeCodec(load)),
  };
}

async function makeCodec<Input extends DescMessage, Output extends DescMessage>(load: () => Promise<MethodOf<Input, Output>>) {
  const [{ create, fromBinary, toBinary }, { input, output }] = await Promise.all([import("@bufbuild/protobuf"), load()]);
  return {
    encodeRequest: (request: MessageInitShape<Input>) => toBinary(input, create(input, request)),
    decodeRequest: (bytes: Uint8Array) => fromBinary(input, bytes),
    encodeResponse: (response: MessageInitShape<Output>) => toBinary(output, create(output, response)),
    decodeResponse: (bytes: Uint8Array) => fromBinary(output, bytes),
  };
}
