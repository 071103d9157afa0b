import { readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

import { RunnerError } from "@anyrunner/core/driver";

import { readElfNeeds, type ElfNeeds } from "./elf.ts";

export interface ProgramFiles {
  readonly architecture: string;
  /** Path in the image → file here: loader and libraries, without the program itself. */
  readonly libraries: ReadonlyMap<string, string>;
  /** Folders of libraries that the loader doesn't search by itself. */
  readonly searchFolders: readonly string[];
}

/** Folders that a loader searches without being told; the architecture's own ones are those of Debian and its children. */
const LOADER_FOLDERS = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];
const MULTIARCH: Readonly<Record<string, string>> = { amd64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
/** Loaded by name while running, where the C library still has them apart: names of hosts need them. */
const BY_NAME = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];

/** What a program needs to run where nothing else is. Fails with UNSUPPORTED for what is no 64-bit Linux program, NOT_FOUND for a missing library. */
export async function findProgramFiles(program: string): Promise<ProgramFiles> {
  const needs = await readElfNeeds(program);
  if (needs === undefined)
    throw new RunnerError("UNSUPPORTED", `${program} is no Linux program`, { hint: "give the path of a Node.js for Linux of the daemon's architecture" });
  const libraries = new Map<string, string>();
  const defaults = loaderFolders(needs.architecture);
  if (needs.interpreter !== undefined) libraries.set(needs.interpreter, await realpath(needs.interpreter));
  const configured = await configuredFolders();
  const pending: { readonly path: string; readonly needs: ElfNeeds }[] = [{ path: program, needs }];
  for (let user = pending.pop(); user !== undefined; user = pending.pop()) {
    const folders = [...user.needs.folders.map((folder) => folder.replaceAll(/\$\{?ORIGIN\}?/g, dirname(user?.path ?? ""))), ...defaults, ...configured];
    for (const name of user.needs.needed) {
      if ([...libraries.keys()].some((path) => path.endsWith(`/${name}`))) continue;
      const found = await findLibrary(name, folders, needs.architecture);
      if (found === undefined)
        throw new RunnerError("NOT_FOUND", `the library ${name} that ${user.path} needs is not on this machine`, {
          hint: "install it, or give another Node.js",
        });
      libraries.set(found.path, await realpath(found.path));
      pending.push(found);
    }
  }
  for (const name of libraries.size === 0 ? [] : BY_NAME) {
    const found = await findLibrary(name, [...defaults, ...configured], needs.architecture);
    if (found !== undefined) libraries.set(found.path, await realpath(found.path));
  }
  const searchFolders = [...new Set([...libraries.keys()].map((path) => dirname(path)))].filter((folder) => !defaults.includes(folder));
  return { architecture: needs.architecture, libraries, searchFolders };
}

function loaderFolders(architecture: string): readonly string[] {
  const multiarch = MULTIARCH[architecture];
  return multiarch === undefined ? LOADER_FOLDERS : [`/lib/${multiarch}`, `/usr/lib/${multiarch}`, ...LOADER_FOLDERS];
}

async function findLibrary(
  name: string,
  folders: readonly string[],
  architecture: string,
): Promise<{ readonly path: string; readonly needs: ElfNeeds } | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    const needs = await readElfNeeds(path).catch(() => undefined);
    if (needs?.architecture === architecture) return { path, needs };
  }
  return undefined;
}

/** What /etc/ld.so.conf and the files beside it name. */
async function configuredFolders(): Promise<readonly string[]> {
  const { glob } = await import("node:fs/promises");
  const files = ["/etc/ld.so.conf"];
  for await (const file of glob("/etc/ld.so.conf.d/*.conf")) files.push(file);
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")));
  return texts.flatMap((text) => text.split("\n")).filter((line) => line.startsWith("/"));
}
