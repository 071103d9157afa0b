import { isDirectory, isSymlink } from "./file-mode.ts";
import type { FileStat } from "./file-stat.ts";
import { FilesyncError } from "./filesync-error.ts";
import { cleanPath, comparePaths } from "./path-order.ts";

/** Checks a listing entry by entry. */
export interface ListingCheck {
  /** Throws a FilesyncError: `unsafe` for a path that could leave the root, `protocol` for one out of place. */
  check(stat: FileStat): void;
}

/**
 * What every receiver relies on: paths are clean, relative and stay inside the root; they come in order, each once;
 * the directory of an entry was listed as a directory; a hard link names a file that was listed with its content.
 */
export function createListingCheck(platform: NodeJS.Platform = process.platform): ListingCheck {
  const directories: string[] = [];
  const files = new Set<string>();
  let last = "";
  return {
    check(stat) {
      const { path, mode, linkname } = stat;
      checkPath(path, platform);
      if (last !== "" && comparePaths(last, path) >= 0) throw new FilesyncError("protocol", `changes out of order: ${quote(path)} after ${quote(last)}`);
      last = path;
      while (directories.length > 0 && !path.startsWith(`${directories.at(-1)}/`)) directories.pop();
      const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      if (parent !== (directories.at(-1) ?? "")) throw new FilesyncError("protocol", `${quote(path)} is not inside a directory of the listing`);
      if (isDirectory(mode)) directories.push(path);
      else if (isSymlink(mode)) return checkLinkText(stat);
      else if (linkname === "") files.add(path);
      else if (!files.has(linkname)) throw new FilesyncError("unsafe", `invalid link ${quote(path)} to unknown path: ${quote(linkname)}`);
    },
  };
}

function checkPath(path: string, platform: NodeJS.Platform): void {
  const why = badPath(path) ?? (platform === "win32" ? badWindowsPath(path) : undefined);
  if (why !== undefined) throw new FilesyncError("unsafe", `refused path ${quote(path)}: ${why}`);
}

function badPath(path: string): string | undefined {
  if (path === "" || path === ".") return "it is the root itself";
  if (path.includes("\0")) return "it has a zero byte";
  if (path.startsWith("/")) return "it is absolute";
  if (path === ".." || path.startsWith("../")) return "it leaves the root";
  return cleanPath(path) === path && !path.endsWith("/") ? undefined : "it is not clean";
}

/** Backslashes separate there, a colon starts another stream or names a drive, and trailing dots and spaces are dropped. */
function badWindowsPath(path: string): string | undefined {
  if (/[\\:]/.test(path)) return "Windows can't have such a name";
  return path.split("/").some((name) => /[. ]$/.test(name)) ? "Windows would change the name" : undefined;
}

/** The text of a symbolic link may be anything: it is created, never followed. */
function checkLinkText(stat: FileStat): void {
  if (stat.linkname === "" || stat.linkname.includes("\0")) throw new FilesyncError("unsafe", `refused symbolic link ${quote(stat.path)}: no proper target`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
