import { request } from "node:http";
import type { IncomingMessage } from "node:http";

import { abortedError, RunnerError } from "@anyrunner/core";
import type { GraphqlRequest, GraphqlResponse } from "@anyrunner/engine";

/**
 * Sends a query to the session that surrounds this process, as SDKs do (engine protocol 6.2). No time limit.
 * Fails with AUTH_FAILED, CONNECTION_REFUSED, CONNECTION_LOST or ABORTED, and with UNSUPPORTED where the answer is longer than
 * `limitBytes`, which is as much as a session of our own takes by default.
 */
export async function querySurroundingSession(
  session: { readonly port: number; readonly token: string },
  { signal, ...body }: GraphqlRequest,
  { limitBytes }: { readonly limitBytes?: number | undefined } = {},
): Promise<GraphqlResponse> {
  const at = `the surrounding session at 127.0.0.1:${session.port}`;
  try {
    const response = await post(session, JSON.stringify(body), signal);
    const { readAnswer } = await import("@anyrunner/engine");
    const answer = await readAnswer(response, { from: at, limitBytes });
    if (response.statusCode === 401) {
      throw new RunnerError("AUTH_FAILED", `${at} refuses the token`, {
        hint: "DAGGER_SESSION_TOKEN must be the one of that session; unset both variables to open a new session",
      });
    }
    const parsed = parseAnswer(answer);
    if (parsed === undefined) throw new RunnerError("CONNECTION_LOST", `${at} answered with status ${response.statusCode}: ${answer.trim().slice(0, 1000)}`);
    return parsed;
  } catch (error) {
    if (signal?.aborted) throw abortedError(signal);
    if (RunnerError.is(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") {
      throw new RunnerError("CONNECTION_REFUSED", `${at} has ended`, {
        hint: "unset DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN to open a new session",
        cause: error,
      });
    }
    throw new RunnerError("CONNECTION_LOST", `${at} can't be reached: ${message}`, { cause: error });
  }
}

function post({ port, token }: { readonly port: number; readonly token: string }, body: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path: "/query",
        method: "POST",
        agent: false,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          authorization: `Basic ${Buffer.from(`${token}:`).toString("base64")}`,
        },
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

function parseAnswer(answer: string): GraphqlResponse | undefined {
  try {
    const value: unknown = JSON.parse(answer);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
