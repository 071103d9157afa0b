import { sensitiveHeaders, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";

/** Names that belong to one connection (RFC 9113, 8.2.2); HTTP/2 knows none of them, and node refuses to send them. */
const OF_ONE_CONNECTION = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings"]);

/**
 * The headers of a request, an answer or its trailers as they go on over another connection: pseudo-headers too, repeated ones apart
 * and in order, secret ones still marked as such.
 */
export function carryHeaders(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): OutgoingHttpHeaders {
  const carried: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [(rawHeaders[i] as string).toLowerCase(), rawHeaders[i + 1] as string];
    if (OF_ONE_CONNECTION.has(name)) continue;
    const earlier = Object.hasOwn(carried, name) ? carried[name] : undefined;
    // A plain assignment to __proto__ would set no header.
    const merged = earlier === undefined ? value : [...(typeof earlier === "string" ? [earlier] : earlier), value];
    Object.defineProperty(carried, name, { value: merged, enumerable: true, configurable: true, writable: true });
  }
  const sensitive = (headers as { readonly [sensitiveHeaders]?: string[] })[sensitiveHeaders];
  return sensitive === undefined || sensitive.length === 0 ? carried : { ...carried, [sensitiveHeaders]: sensitive };
}
