import { throwIfAborted, type CallOptions, type Runner } from "@anyrunner/core";

import { openControlConnection } from "../control-connection.ts";
import { closeControl } from "../dial-session.ts";
import { engineChanged, type EngineInfo } from "../engine-info.ts";

/**
 * Dials once more and compares who answers: a client whose streams are spread over two engines waits ten seconds for each of its
 * requests, in vain. Fails with ENGINE_CHANGED or ABORTED; a second dial that fails otherwise says nothing.
 */
export async function checkOneEngine(runner: Runner, first: EngineInfo, options: CallOptions): Promise<void> {
  const second = await openControlConnection(runner, options).catch(() => undefined);
  throwIfAborted(options.signal);
  if (second === undefined) return;
  closeControl(second);
  const { name, version } = second.info;
  if (name !== first.name || version !== first.version) throw engineChanged(runner.url, `${first.name} (${first.version}) first, then ${name} (${version})`);
}
