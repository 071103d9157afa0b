import type { Readable } from "node:stream";

import { nodeWithoutContents } from "./tar-read.ts";
import type { TreeNode } from "./node.ts";

/** The first entry of an archive, without its contents; the rest is not read. */
export async function readTarHead(stream: Readable): Promise<TreeNode> {
  const { extract } = await import("./tar-extract.ts");
  const unpack = extract();
  stream.on("error", (error) => unpack.destroy(error));
  stream.pipe(unpack);
  try {
    for await (const entry of unpack) return nodeWithoutContents(entry.header);
    throw new Error("the archive is empty");
  } finally {
    stream.unpipe(unpack);
    stream.destroy();
    unpack.destroy();
  }
}
