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

/** Where engine 0.21.8 forgets the status of an error: 200, and only the type tells (seen on a real one for clients without attachables). */
export function sendForgottenStatus(request: EngineHttpRequest, text: string): void {
  const body = Buffer.from(text);
  request.respond(200, { "content-type": "text/plain; charset=utf-8", "content-length": String(body.length), date: new Date().toUTCString() }).end(body);
}
