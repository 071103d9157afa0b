import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

/** What a caller of a method needs. What is encoded may leave fields out; what was decoded has them all. */
export interface ClientCodec<RequestInit, Response> {
  encodeRequest(request: RequestInit): Uint8Array;
  decodeResponse(bytes: Uint8Array): Response;
}

/** What a server of a method needs. */
export interface ServerCodec<Request, ResponseInit> {
  decodeRequest(bytes: Uint8Array): Request;
  encodeResponse(response: ResponseInit): Uint8Array;
}

export interface GrpcCodec<RequestInit, Request, ResponseInit, Response> extends ClientCodec<RequestInit, Response>, ServerCodec<Request, ResponseInit> {}

/**
 * A method of a service: its path, and its codec when somebody asks for it. The descriptors of protobuf-es cost more time at
 * start than a whole call, so they load with the first message.
 */
export interface GrpcMethod<Codec> {
  readonly path: string;
  codec(): Promise<Codec>;
}

/** The codec that protobuf-es gives for two message descriptors. */
export type ProtobufCodec<Input extends DescMessage, Output extends DescMessage> = GrpcCodec<
  MessageInitShape<Input>,
  MessageShape<Input>,
  MessageInitShape<Output>,
  MessageShape<Output>
>;

type MethodOf<Input extends DescMessage, Output extends DescMessage> = DescMethod & { readonly input: Input; readonly output: Output };

/** A method whose messages protobuf-es knows; `load` imports its generated file. */
export function protobufMethod<Input extends DescMessage, Output extends DescMessage>(
  path: string,
  load: () => Promise<MethodOf<Input, Output>>,
): GrpcMethod<ProtobufCodec<Input, Output>> {
  let codec: Promise<ProtobufCodec<Input, Output>> | undefined;
  return { path, codec: () => (codec ??= makeCodec(load)) };
}

async function makeCodec<Input extends DescMessage, Output extends DescMessage>(
  load: () => Promise<MethodOf<Input, Output>>,
): Promise<ProtobufCodec<Input, Output>> {
  const [{ create, fromBinary, toBinary }, { input, output }] = await Promise.all([import("@bufbuild/protobuf"), load()]);
  return {
    encodeRequest: (request) => toBinary(input, create(input, request)),
    decodeRequest: (bytes) => fromBinary(input, bytes),
    encodeResponse: (response) => toBinary(output, create(output, response)),
    decodeResponse: (bytes) => fromBinary(output, bytes),
  };
}
