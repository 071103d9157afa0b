import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { RunnerError } from "@anyrunner/core/driver";

/**
 * The files of one authority. Certificate and key of a side lie in one file, so that both change in one step; `authority` is the
 * public part alone, to be handed to both sides.
 */
export const CERTIFICATE_FILES = { authority: "ca.pem", authorityKey: "ca-key.pem", server: "server.pem", client: "client.pem" } as const;

export type CertificateFileName = (typeof CERTIFICATE_FILES)[keyof typeof CERTIFICATE_FILES];

/** Makes the folder (0700) with its files (0600), all or nothing. Fails with ALREADY_EXISTS, PERMISSION_DENIED, NOT_FOUND. */
export async function createFolder(folder: string, files: ReadonlyMap<CertificateFileName, string>): Promise<void> {
  const target = resolve(folder);
  const draft = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`);
  try {
    await mkdir(dirname(target), { recursive: true });
    await mkdir(draft, { mode: 0o700 });
    for (const [name, text] of files) await writePrivateFile(join(draft, name), text);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw folderError(error, target);
  }
}

/** Replaces files, each in one step and in the order given. */
export async function replaceFiles(folder: string, files: ReadonlyMap<CertificateFileName, string>): Promise<void> {
  const target = resolve(folder);
  for (const [name, text] of files) {
    const draft = join(target, `.${name}.${randomUUID()}.tmp`);
    try {
      await writePrivateFile(draft, text);
      await rename(draft, join(target, name));
    } catch (error) {
      await rm(draft, { force: true });
      throw folderError(error, target);
    }
  }
}

/** Fails with NOT_FOUND or PERMISSION_DENIED, naming the file. */
export async function readCertificateFile(folder: string, name: CertificateFileName): Promise<string> {
  const path = join(resolve(folder), name);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw folderError(error, path);
  }
}

async function writePrivateFile(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  // The umask may have taken more than others' rights.
  await chmod(path, 0o600);
}

function folderError(error: unknown, path: string): unknown {
  const fail = (code: "ALREADY_EXISTS" | "NOT_FOUND" | "PERMISSION_DENIED", message: string, hint: string) =>
    new RunnerError(code, message, { hint, cause: error, details: { path } });
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOTEMPTY":
    case "EEXIST":
    case "ENOTDIR":
      return fail("ALREADY_EXISTS", `${path} exists already`, "renew what is there with `anyrunner certs rotate`, or name a new folder");
    case "ENOENT":
      return fail("NOT_FOUND", `there is no ${path}`, "make certificates with `anyrunner certs create`, or correct the folder");
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return fail("PERMISSION_DENIED", `this user may not use ${path}`, "name a folder of your own, or change its owner");
    default:
      return error;
  }
}
