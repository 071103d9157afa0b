import type { AttachedClient, ReadTreeOptions, TreeFile } from "./attached-client.ts";

/**
 * What the engine does for `host.directory` (engine protocol 5.3, and every upload recording): absolute path, for gitignore the walk up
 * for `.git`, stat with links resolved, the chain of parents, then the tree itself. Undefined where nothing is.
 */
export async function readHostDirectory(client: AttachedClient, path: string, options: ReadTreeOptions = {}): Promise<readonly TreeFile[] | undefined> {
  const absolute = await client.absolutePath(path);
  if (options.gitignore === true) await findGitUpwards(client, absolute);
  const stat = await client.stat(absolute, { resolve: true });
  if (stat === undefined) return undefined;
  const relative = stat.path.replace(/^\/+/, "");
  await client.readTree("/", { include: [relative], exclude: [`${relative}/*`], parents: true });
  return client.readTree(stat.path, options);
}

async function findGitUpwards(client: AttachedClient, start: string): Promise<void> {
  for (let directory = start; ; directory = directory.slice(0, directory.lastIndexOf("/")) || "/") {
    const found = await client.stat(`${directory === "/" ? "" : directory}/.git`);
    if (found !== undefined || directory === "/") return;
  }
}
