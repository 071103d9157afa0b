import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const ELF_MAGIC = 0x7f454c46;
const PROGRAM_INTERPRETER = 3;

/** What stands in the root file system besides the usual folders. */
export interface BusyboxRootfsOptions {
  /** A statically linked busybox of this machine's architecture. Default `/bin/busybox`. */
  readonly busybox?: string;
  /** More files, by absolute path; text that begins with `#!` becomes executable. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * Fills `directory` with the root of a container: busybox, a link for each of its programs, `/etc/passwd` and `/etc/group`
 * with root, and empty `/tmp`, `/root`, `/run`, `/dev`, `/proc`, `/sys`. Needs no image and no network.
 */
export async function makeBusyboxRootfs(directory: string, options: BusyboxRootfsOptions = {}): Promise<void> {
  const { busybox = "/bin/busybox", files = {} } = options;
  await refuseDynamic(busybox);
  for (const folder of ["bin", "dev", "etc", "proc", "root", "run", "sbin", "sys", "tmp", "usr/bin", "usr/sbin"])
    await mkdir(join(directory, folder), { recursive: true });
  await chmod(join(directory, "tmp"), 0o1777);
  await copyFile(busybox, join(directory, "bin/busybox"));
  await chmod(join(directory, "bin/busybox"), 0o755);
  for (const applet of await listApplets(busybox)) await symlink("/bin/busybox", join(directory, applet));
  const texts = { "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "/etc/group": "root:x:0:\n", ...files };
  for (const [path, text] of Object.entries(texts)) await writeText(join(directory, path), text);
}

async function listApplets(busybox: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(busybox, ["--list-full"]);
  return stdout.split("\n").filter((path) => path !== "" && path !== "bin/busybox" && !/^linuxrc$/.test(path));
}

async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, text.startsWith("#!") ? 0o755 : 0o644);
}

/** A dynamic busybox would start on this machine and fail in the container, where no loader is. */
async function refuseDynamic(path: string): Promise<void> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== ELF_MAGIC) throw new Error(`no busybox at ${path}; install a static one (Debian: busybox-static)`);
  const start = Number(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  for (let index = 0; index < bytes.readUInt16LE(56); index++) {
    if (bytes.readUInt32LE(start + index * size) === PROGRAM_INTERPRETER)
      throw new Error(`${path} is linked dynamically; install a static one (Debian: busybox-static)`);
  }
}
