import { headerList, type HeaderList } from "../header-list.ts";

/** Metadata of a call. Values of names that end in `-bin` are base64, as they travel. */
export type GrpcMetadata = HeaderList;

/** What a caller sends along: one value or several for a name. */
export type GrpcMetadataInit = Readonly<Record<string, string | readonly string[]>>;

const RESERVED = /^:|^grpc-|^(content-type|te|user-agent|connection)$/;

/** Reads the flat list of names and values that node:http2 gives beside its merged headers. */
export function readGrpcMetadata(rawHeaders: readonly string[]): GrpcMetadata {
  const entries: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (!name.startsWith(":")) entries.push([name, rawHeaders[i + 1] as string]);
  }
  return headerList(entries);
}

/** Headers for `metadata`; names that belong to the protocol itself are left out. */
export function metadataHeaders(metadata: GrpcMetadataInit | undefined): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(metadata ?? {})) {
    const key = name.toLowerCase();
    if (!RESERVED.test(key)) headers[key] = typeof value === "string" ? value : [...value];
  }
  return headers;
}
