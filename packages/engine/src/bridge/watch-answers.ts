import type { Reporter } from "@anyrunner/core";
import type { PassingAnswer } from "@anyrunner/protocol";

import { engineChanged } from "../engine-info.ts";

/** As much of an answer is looked at; the engine's complaint stands at its beginning. */
const LOOKED_AT_BYTES = 4096;
/** The whole answer, whatever its status: 0.21.8 says 200. */
const NOT_ATTACHED = /^\{("data":null,)?"errors":\[\{"message":"waiting for client session attachables/;

/**
 * Looks at what the engine refuses while it passes: a query whose session attached itself to another engine than the one that answers
 * is the one sign of two engines behind an address, where streams that belong to one client each can't be asked whom they reach.
 */
export function watchAnswers(runner: string, report: Reporter | undefined): (answer: PassingAnswer) => void {
  return ({ path, status, body }) => {
    if (report === undefined || (status < 500 && status !== 200) || !path.startsWith("/query")) return;
    let text = "";
    body.on("data", (chunk: Buffer) => {
      if (text.length < LOOKED_AT_BYTES) text += chunk.toString("latin1", 0, LOOKED_AT_BYTES);
    });
    body.once("end", () => {
      if (!NOT_ATTACHED.test(text)) return;
      const { message, hint } = engineChanged(runner, "the one that answers a query has no attachables of its session");
      report({ type: "warning", id: "bridge-ENGINE_CHANGED", message, hint });
    });
  };
}
