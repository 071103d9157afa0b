import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

import type { GrpcCodec } from "../grpc/method.ts";

/** What the engine says about itself. */
export interface InfoResponse {
  readonly buildkitVersion: BuildkitVersion | undefined;
  /** Absent before engine 0.19.10. */
  readonly systemInfo: { readonly numCpu: number } | undefined;
}

export interface BuildkitVersion {
  readonly package: string;
  readonly version: string;
  /** The engine's name: its host name unless configured. */
  readonly revision: string;
}

export interface InfoResponseInit {
  readonly buildkitVersion?: Partial<BuildkitVersion> | undefined;
  readonly systemInfo?: { readonly numCpu?: number | undefined } | undefined;
}

/**
 * `Control/Info` by hand, on protobuf-es's reader and writer alone. It is the one message of every start, and the descriptors would
 * cost more time there (30 ms) than the call; `control.proto` has the fields.
 */
export const infoCodec: GrpcCodec<object, object, InfoResponseInit, InfoResponse> = {
  encodeRequest: () => new Uint8Array(),
  decodeRequest: () => ({}),
  encodeResponse(response) {
    const writer = new BinaryWriter();
    const { buildkitVersion, systemInfo } = response;
    if (buildkitVersion !== undefined) {
      writer.uint32(tag(1, LENGTH_DELIMITED)).fork();
      writeText(writer, 1, buildkitVersion.package);
      writeText(writer, 2, buildkitVersion.version);
      writeText(writer, 3, buildkitVersion.revision);
      writer.join();
    }
    if (systemInfo !== undefined) {
      writer.uint32(tag(2, LENGTH_DELIMITED)).fork();
      if (systemInfo.numCpu !== undefined && systemInfo.numCpu !== 0) writer.uint32(tag(1, VARINT)).int32(systemInfo.numCpu);
      writer.join();
    }
    return writer.finish();
  },
  decodeResponse(bytes) {
    let buildkitVersion: BuildkitVersion | undefined;
    let systemInfo: { numCpu: number } | undefined;
    readFields(bytes, (reader, field) => {
      if (field === tag(1, LENGTH_DELIMITED)) buildkitVersion = readVersion(reader.bytes(), buildkitVersion);
      else if (field === tag(2, LENGTH_DELIMITED)) systemInfo = readSystem(reader.bytes(), systemInfo);
      else return false;
      return true;
    });
    return { buildkitVersion, systemInfo };
  },
};

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function tag(field: number, wireType: number): number {
  return field * 8 + wireType;
}

function writeText(writer: BinaryWriter, field: number, text: string | undefined): void {
  if (text !== undefined && text !== "") writer.uint32(tag(field, LENGTH_DELIMITED)).string(text);
}

function readVersion(bytes: Uint8Array, seen: BuildkitVersion | undefined): BuildkitVersion {
  const version = { package: "", version: "", revision: "", ...seen };
  readFields(bytes, (reader, field) => {
    if (field === tag(1, LENGTH_DELIMITED)) version.package = reader.string();
    else if (field === tag(2, LENGTH_DELIMITED)) version.version = reader.string();
    else if (field === tag(3, LENGTH_DELIMITED)) version.revision = reader.string();
    else return false;
    return true;
  });
  return version;
}

function readSystem(bytes: Uint8Array, seen: { readonly numCpu: number } | undefined): { numCpu: number } {
  const system = { numCpu: 0, ...seen };
  readFields(bytes, (reader, field) => {
    if (field !== tag(1, VARINT)) return false;
    system.numCpu = reader.int32();
    return true;
  });
  return system;
}

/** Walks the fields of a message; what `read` does not know is skipped, as newer engines may say more. */
function readFields(bytes: Uint8Array, read: (reader: BinaryReader, field: number) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!read(reader, tag(field, wireType))) reader.skip(wireType, field);
  }
}
