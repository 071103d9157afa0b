import type { Duplex } from "node:stream";

/**
 * Writes and waits for the transport to have taken it. A stream that goes on to http2 must have no write pending: with a TLS socket
 * node would abort the process.
 */
export function writeAll(stream: Duplex, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
