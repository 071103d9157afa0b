import { CLIENT_METADATA_HEADER } from "@anyrunner/protocol";

/** Names that belong to one connection and must not travel on (RFC 9113, 8.2.2), and what the session sets itself. */
const NOT_FORWARDED = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "host",
  "authorization",
  "te",
  CLIENT_METADATA_HEADER,
]);

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The headers of a request or an answer that may go on over another connection. */
export function forwardedHeaders(headers: Headers): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || NOT_FORWARDED.has(name)) continue;
    result[name] = typeof value === "string" ? value : value.join(", ");
  }
  return result;
}
