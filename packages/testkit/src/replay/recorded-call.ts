import { grpcMessages, headerOf, type Exchange } from "./exchange.ts";

/** Which messages travel on a call; the metadata says it, not the method. */
export type CallMode = "stat" | "tree" | "write-tree" | "write-file" | "socket" | "tunnel" | "unary";

/** One call of the engine to the client, as it was recorded. */
export interface RecordedCall {
  readonly path: string;
  readonly mode: CallMode;
  /** Without what belongs to gRPC itself. */
  readonly metadata: Readonly<Record<string, readonly string[]>>;
  /** The decoded JSON of `x-dagger-local-…-opts`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly requests: readonly Buffer[];
  readonly answer: CallAnswer;
}

/** How the client's side of a call ended, and what it sent. */
export interface CallAnswer {
  readonly messages: readonly Buffer[];
  /** A gRPC status, or undefined when the engine cancelled the call: it had what it wanted. */
  readonly status: number | undefined;
  readonly message: string;
}

const OPTIONS = /^x-dagger-local-(import|export)-opts$/;

/** What a recorded exchange was, as a call of the engine to the client. */
export function readCall({ request, response }: Exchange): RecordedCall {
  const metadata: Record<string, string[]> = {};
  for (const [name, value] of request.headers) if (!/^:|^(user-agent|te|content-type)$|^grpc-/.test(name)) (metadata[name] ??= []).push(value);
  const encoded = Object.entries(metadata).find(([name]) => OPTIONS.test(name))?.[1][0];
  const options = encoded === undefined ? {} : (JSON.parse(Buffer.from(encoded, "base64").toString()) as Record<string, unknown>);
  const path = headerOf(request.headers, ":path") ?? "";
  const status = headerOf(response.trailers, "grpc-status") ?? headerOf(response.headers, "grpc-status");
  return {
    path,
    mode: modeOf(path, options),
    metadata,
    options,
    requests: grpcMessages(request.body),
    answer: {
      messages: grpcMessages(response.body),
      status: status === undefined ? undefined : Number(status),
      message: headerOf(response.trailers, "grpc-message") ?? headerOf(response.headers, "grpc-message") ?? "",
    },
  };
}

function modeOf(path: string, options: Readonly<Record<string, unknown>>): CallMode {
  if (path.endsWith("/ForwardAgent")) return "socket";
  if (path.endsWith("TunnelListener/Listen")) return "tunnel";
  if (path.endsWith(".FileSend/DiffCopy")) return options["is_file_stream"] === true ? "write-file" : "write-tree";
  if (!path.endsWith(".FileSync/DiffCopy")) return "unary";
  return options["get_abs_path_only"] === true || options["stat_path_only"] === true ? "stat" : "tree";
}
