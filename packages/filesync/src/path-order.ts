import { posix } from "node:path";
import { bytesOfName } from "./file-name.ts";

/** Go's lexical `path.Clean`: no `.`, no empty parts, no trailing slash; "" becomes ".". */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/**
 * The order of names inside a directory: by their bytes. Comparing UTF-16 units gives the same, except where surrogates are about: halves of
 * characters beyond U+FFFF, or bytes that are not UTF-8.
 */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return isSurrogate(left) || isSurrogate(right) ? compareBytes(a, b) : left - right;
  }
  return a.length - b.length;
}

/** The order of a listing: depth first, a directory before its children; `/` counts as lower than every other byte. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    if (left === SLASH) return -1;
    if (right === SLASH) return 1;
    return isSurrogate(left) || isSurrogate(right) ? compareBytes(a, b) : left - right;
  }
  return a.length - b.length;
}

/** The items of one directory in order. */
export function sortByName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  // Comparing whole strings is native and several times faster; it is right unless surrogates are about.
  if (items.some((item) => SURROGATE.test(item.name))) return items.toSorted((a, b) => compareNames(a.name, b.name));
  return items.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const SLASH = 47;
const SURROGATE = /[\ud800-\udfff]/;

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** For names and paths whose first difference is at a surrogate: none of the bytes that differ is a slash then. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(bytesOfName(a), bytesOfName(b));
}
