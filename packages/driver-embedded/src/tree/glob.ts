import { compilePatterns } from "@anyrunner/filesync";

import { walkNodes, type FolderNode } from "./node.ts";

/** The paths below `folder` that match, in protocol order, folders with a trailing slash; links are not entered. */
export function glob(folder: FolderNode, pattern: string): string[] {
  const wanted = pattern.replace(/(.)\/+$/, "$1");
  let matcher;
  try {
    matcher = compilePatterns([wanted]).patterns[0];
  } catch {
    throw new Error("failed to create glob pattern matcher: syntax error in pattern");
  }
  if (matcher === undefined || wanted.startsWith("/")) return [];
  const found: string[] = [];
  for (const [path, node] of walkNodes(folder)) {
    // The whole path must match: what lies below a match does not count, unlike in an exclude list.
    if (matcher.matches(path)) found.push(node.kind === "folder" ? `${path}/` : path);
  }
  return found;
}
