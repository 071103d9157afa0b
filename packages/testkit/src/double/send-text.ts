import type { EngineHttpRequest } from "@anyrunner/protocol";

/** An error as Go's `http.Error` writes it, which is how the engine sends everything that is no GraphQL answer. */
export function sendText(request: EngineHttpRequest, status: number, text: string): void {
  const body = Buffer.from(`${text}\n`);
  request
    .respond(status, {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "content-length": String(body.length),
      date: new Date().toUTCString(),
    })
    .end(body);
}
