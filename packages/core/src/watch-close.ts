import type { Duplex } from "node:stream";

import type { CloseReason } from "./driver.ts";

/**
 * How a stream ends, as `RunnerConnection.closed` says it: watched from now on, so call it before the stream can break. `classify` makes what
 * broke it an error of the driver's; default: as it is. Never rejects, and leaves a listener for errors, so that none is unhandled.
 */
export function watchClose(stream: Duplex, classify: (error: Error) => Error = (error) => error): Promise<CloseReason> {
  return new Promise((resolve) => {
    let failure: Error | undefined;
    stream.on("error", (error) => (failure = error));
    stream.once("close", () => {
      if (failure !== undefined) resolve({ kind: "error", error: classify(failure) });
      else resolve({ kind: stream.readableEnded ? "end" : "local" });
    });
  });
}
