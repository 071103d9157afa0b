import type { Duplex } from "node:stream";

import type { CloseReason, RunnerConnection } from "./driver.ts";
import { redactError } from "./redact-error.ts";
import { redactValue } from "./redact.ts";

/** The same connection, with secrets hidden in what it says of its end and of the far end. Its bytes pass as they are. */
export function boundConnection(connection: RunnerConnection, hidden: readonly string[]): RunnerConnection {
  if (hidden.length === 0) return connection;
  const { stream, kind, halfClose, closed } = connection;
  hideInErrors(stream, hidden);
  return {
    stream,
    kind,
    halfClose,
    closed: closed.then((reason) => quietReason(reason, hidden)),
    diagnostics: async (options) => redactValue(await connection.diagnostics(options), hidden),
  };
}

/** Whatever breaks a stream goes through its `destroy`. */
function hideInErrors(stream: Duplex, hidden: readonly string[]): void {
  const destroy = stream.destroy.bind(stream);
  stream.destroy = (error, ...rest) => destroy(error === undefined || error === null ? error : (redactError(error, hidden) as Error), ...rest);
}

function quietReason(reason: CloseReason, hidden: readonly string[]): CloseReason {
  return reason.error === undefined ? reason : { ...reason, error: redactError(reason.error, hidden) as Error };
}
