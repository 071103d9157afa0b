import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";

export interface OpenStreamOptions {
  /** The request has no body. Default false. */
  readonly endStream?: boolean;
  /** The stream asks for the trailers of its request (`wantTrailers`) before it ends. Default false. */
  readonly waitForTrailers?: boolean;
}

/** What opens streams on one connection. */
export interface StreamOpener {
  /** The seam for gRPC: a bare stream. Throws the connection's end when it can't take another. */
  openStream(headers: OutgoingHttpHeaders, options?: OpenStreamOptions): ClientHttp2Stream;
  /** Why the connection takes no more requests: what a stream that broke along with it fails with. Undefined while it takes them. */
  lost(cause?: Error): Error | undefined;
}
