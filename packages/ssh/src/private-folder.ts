import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that only this user can enter, for sockets. Gone with this process at the latest, short of SIGKILL. */
export interface PrivateFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** What ssh appends to the name of its control socket while it makes it. */
const SSH_SUFFIX_BYTES = 17;
/** `sun_path` of macOS, the shortest. */
const MAX_PATH_BYTES = 103;
const LONGEST_NAME_BYTES = 8;

const folders = new Set<string>();

export async function makePrivateFolder(): Promise<PrivateFolder> {
  const name = "anyrunner-ssh-";
  const length = Buffer.byteLength(join(tmpdir(), `${name}XXXXXX`)) + LONGEST_NAME_BYTES + SSH_SUFFIX_BYTES;
  const path = await mkdtemp(join(length <= MAX_PATH_BYTES ? tmpdir() : "/tmp", name));
  if (folders.size === 0) process.on("exit", removeAll);
  folders.add(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      if (folders.delete(path) && folders.size === 0) process.off("exit", removeAll);
    },
  };
}

function removeAll(): void {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
}
