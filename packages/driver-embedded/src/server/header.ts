import type { EngineHttpRequest } from "@anyrunner/protocol";

/** The first value of a header; `name` in lower case. */
export function header(request: Pick<EngineHttpRequest, "headers">, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.[0];
}
