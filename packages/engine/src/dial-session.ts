import type { CallOptions, Runner, RunnerConnection } from "@anyrunner/core";

import { openControlConnection, type ControlConnection } from "./control-connection.ts";

/** The two streams that a session lives on. */
export interface SessionStreams {
  readonly control: ControlConnection;
  /** Fresh; becomes the stream of the attachables. */
  readonly attachables: RunnerConnection;
}

/**
 * One attempt to dial both streams of a session, at the same time: through an exec a dial costs more than everything else
 * together. When either fails, neither is left open.
 */
export async function dialSession(runner: Runner, options: CallOptions): Promise<SessionStreams> {
  const attempt = new AbortController();
  const signal = options.signal === undefined ? attempt.signal : AbortSignal.any([options.signal, attempt.signal]);
  const control = openControlConnection(runner, { ...options, signal });
  const attachables = runner.connect({ ...options, signal });
  try {
    const [controlConnection, connection] = await Promise.all([control, attachables]);
    return { control: controlConnection, attachables: connection };
  } catch (error) {
    attempt.abort();
    void control.then(closeControl, () => {});
    void attachables.then(
      (connection) => connection.stream.destroy(),
      () => {},
    );
    throw error;
  }
}

export function closeControl({ connection, http2 }: ControlConnection): void {
  http2.destroy();
  connection.stream.destroy();
}
