import { openBridgeStore } from "@anyrunner/config";
import { parseRunnerUrl } from "@anyrunner/core";

import type { CommandContext } from "./command-context.ts";
import { isOfficialScheme } from "./official-schemes.ts";

export interface BridgeFactInput {
  /** The runner's URL with everything in it. */
  readonly url: string;
  /** What the variable would say without a bridge; undefined when it may say nothing. */
  readonly variable: string | undefined;
  /** The version of the project's SDK, if it is known. */
  readonly version: string | undefined;
}

/** How the official client gets at a runner whose URL it doesn't understand. */
export type BridgeFact =
  | { readonly kind: "running"; readonly address: string; readonly pid: number }
  /** `reason` ends the sentence "official clients …". */
  | { readonly kind: "wanted"; readonly reason: string };

/** Whether a bridge is needed for official clients, and the one that runs. Undefined when they can do without. */
export async function bridgeFact({ env }: CommandContext, { url, variable, version }: BridgeFactInput): Promise<BridgeFact | undefined> {
  const { scheme } = parseRunnerUrl(url);
  const isOfficial = isOfficialScheme(scheme, version);
  if (isOfficial && variable === url.trim()) return undefined;
  const found = await openBridgeStore({ env }).find(url);
  if (found !== undefined) return { kind: "running", address: found.address, pid: found.pid };
  return {
    kind: "wanted",
    reason: isOfficial ? "don't know your names of runners" : `${version === undefined ? "" : `of ${version} `}don't know ${scheme}://`,
  };
}

/** One sentence for people. */
export function describeBridge(fact: BridgeFact, runner: string): string {
  return fact.kind === "running"
    ? `bridge: ${fact.address}, for official clients (process ${fact.pid})`
    : `bridge: none runs, and official clients ${fact.reason}; for them: anyrunner bridge --runner ${runner}`;
}
