/** Recorded paths and the ones that stand for them on this machine. */
export interface PathMapping {
  /** `/demo/src` → `<root>/src`, `/tmp/out…` → `<outside>/out…`, in any text, with or without the leading slash. */
  toHere(recorded: string): string;
  /** The other way round; `undefined` for a relative path that lies above what was recorded. */
  toRecorded(here: string): string;
  /** A path relative to `/`, as a listing of the root has it; undefined for the directories between `/` and the root here. */
  listedToRecorded(path: string): string | undefined;
}

/** `root` stands for the recorded `/demo`, `outside` for `/tmp`. Both absolute and without links. */
export function createPathMapping({ root, outside }: { readonly root: string; readonly outside: string }): PathMapping {
  const pairs = [
    ["/demo", root],
    ["/tmp/out", `${outside}/out`],
  ] as const;
  return {
    toHere: (recorded) => replaceAtWordStart(recorded, pairs),
    toRecorded: (here) => pairs.reduce((text, [recorded, path]) => text.replaceAll(path, recorded), here),
    listedToRecorded(path) {
      const listed = `/${path}`;
      if (listed !== root && !listed.startsWith(`${root}/`)) return undefined;
      return `demo${listed.slice(root.length)}`;
    },
  };
}

/** Patterns are relative to `/`, so that `demo/src` means the same as `/demo/src`. */
function replaceAtWordStart(text: string, pairs: readonly (readonly [string, string])[]): string {
  for (const [recorded, path] of pairs) {
    if (text === recorded || text.startsWith(recorded)) return path + text.slice(recorded.length);
    if (text.startsWith(recorded.slice(1))) return path.slice(1) + text.slice(recorded.length - 1);
    if (text.startsWith(`file://${recorded}`)) return `file://${path}${text.slice(7 + recorded.length)}`;
  }
  return text;
}
