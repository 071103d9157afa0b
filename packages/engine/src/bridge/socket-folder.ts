import { mkdir, mkdtemp, rm, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";

import { answers, MAX_SOCKET_PATH_BYTES } from "@anyrunner/protocol";

export interface SocketFolder {
  /** In a folder that only this user can enter. */
  readonly socketPath: string;
  /** Removes the folder with what is in it. */
  remove(): Promise<void>;
}

const SOCKET = "engine.sock";
/** What `mkdtemp` adds to the name, and the slashes. */
const NAME_BYTES = Buffer.byteLength(`/anyrunner-bridge-XXXXXX/${SOCKET}`);

/**
 * A new folder (0700) for one socket: below `$XDG_RUNTIME_DIR/anyrunner` where that is set, this user's and short enough for a socket's
 * path, else below the folder for temporary files, else `/tmp`.
 */
export async function makeSocketFolder(env: Readonly<Record<string, string | undefined>>): Promise<SocketFolder> {
  const folder = await mkdtemp(join(await parentFolder(env), "anyrunner-bridge-"));
  return {
    socketPath: join(folder, SOCKET),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function parentFolder(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const runtime = env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && isAbsolute(runtime)) {
    const parent = join(runtime, "anyrunner");
    if (fits(parent) && (await isOwn(runtime)) && (await makeFolder(parent))) return parent;
  }
  const temporary = tmpdir();
  return fits(temporary) ? temporary : "/tmp";
}

function fits(parent: string): boolean {
  return Buffer.byteLength(parent) + NAME_BYTES <= MAX_SOCKET_PATH_BYTES;
}

async function isOwn(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined);
  return found?.isDirectory() === true && (process.getuid === undefined || found.uid === process.getuid());
}

async function makeFolder(folder: string): Promise<boolean> {
  return mkdir(folder, { recursive: true, mode: 0o700 }).then(
    () => true,
    () => false,
  );
}

/** Removes the folder of a bridge's address, if it is one that `makeSocketFolder` made and nothing listens there any more. What can't be removed stays. */
export async function removeSocketFolder(address: string): Promise<void> {
  const [, path = "", folder = ""] = /^unix:\/\/((\/.*\/anyrunner-bridge-[A-Za-z0-9]{6})\/engine\.sock)$/.exec(address) ?? [];
  if (folder === "" || (await answers(path))) return;
  await rm(path, { force: true }).catch(() => {});
  // Only when it is empty: what else lies there is not ours.
  await rmdir(folder).catch(() => {});
}
