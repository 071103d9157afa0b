import { compareEngineVersions, parseEngineVersion } from "@anyrunner/core";

import { parseImageReference } from "./image-reference.ts";

/** Whether the tag of an engine's image says that it is older than `version`. What has another tag, or only a digest or an id, counts as new. */
export function isImageBefore(image: string, version: string): boolean {
  const tag = tagOf(image)?.replace(/-gpu$/, "");
  return tag !== undefined && parseEngineVersion(tag) !== undefined && compareEngineVersions(tag, version) < 0;
}

function tagOf(image: string): string | undefined {
  try {
    return parseImageReference(image).tag;
  } catch {
    // What a runtime shows may be no name but an id.
    return undefined;
  }
}
