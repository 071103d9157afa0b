import { ENGINE_PACKAGE, MINIMUM_ENGINE_VERSION } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";

/** Says what this is and which engines it speaks to. */
export function versionCommand(context: CommandContext): number {
  const facts = {
    anyrunner: context.version,
    node: process.versions.node,
    platform: `${process.platform}/${process.arch}`,
    engine: { package: ENGINE_PACKAGE, minimum: MINIMUM_ENGINE_VERSION },
  };
  if (context.json) context.print(JSON.stringify(facts, undefined, 2));
  else context.print(`anyrunner ${facts.anyrunner} (node ${facts.node}, ${facts.platform}); engines ${ENGINE_PACKAGE} ${MINIMUM_ENGINE_VERSION} or newer`);
  return EXIT.success;
}
