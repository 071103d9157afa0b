import { request } from "node:http";

export interface DockerCall {
  readonly socketPath: string;
  readonly method: string;
  readonly path: string;
  readonly body?: Buffer;
  /** Of the body. Default: a tar archive. */
  readonly type?: string;
}

/** One request to a Docker API behind a Unix socket. Rejects when there is none. */
export function callDocker({
  socketPath,
  method,
  path,
  body,
  type = "application/x-tar",
}: DockerCall): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": type, "content-length": body.length };
    const outgoing = request({ socketPath, method, path, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
