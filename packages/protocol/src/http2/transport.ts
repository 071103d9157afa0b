import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

import { eagerDuplex } from "../eager-duplex.ts";

/**
 * The stream as http2 should get it. http2 does not read while a write of its transport is pending, and node's TLS loses the error
 * of a write while more of it waits to be encrypted: a peer that dies in that moment is never noticed (Node 24.21: 19 of 60 kills).
 * Behind a Duplex that acknowledges at once http2 reads on, and meets the end there.
 */
export function http2Transport(stream: Duplex): Duplex {
  return (stream as Partial<TLSSocket>).encrypted === true ? eagerDuplex(stream) : stream;
}
