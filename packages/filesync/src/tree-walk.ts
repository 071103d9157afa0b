import { diskStat } from "./disk-stat.ts";
import { errorCode, type Disk, type DirectoryItem } from "./disk.ts";
import { isDirectory, isRegular } from "./file-mode.ts";
import { followPaths, withoutNested } from "./follow-paths.ts";
import { enterDirectory, isIgnored, mayReinclude, NO_RULES, type GitignoreScope } from "./gitignore-scope.ts";
import { createHardLinks } from "./hard-links.ts";
import { sortByName } from "./path-order.ts";
import type { TreeEntry } from "./tree-entry.ts";
import { createTreeFilter, type FilterState } from "./tree-filter.ts";

/** Which directory, and what of it, a listing is made of. */
export interface TreeSelection {
  /** Absolute path of a directory; symbolic links on the way to it are followed. */
  readonly root: string;
  /** Patterns: only what matches is listed, with the directories that lead to it. Empty: everything. */
  readonly include?: readonly string[];
  /** Patterns: what matches is left out. */
  readonly exclude?: readonly string[];
  /** Paths whose symbolic links and targets are included besides. */
  readonly followPaths?: readonly string[];
  /** `mark` lists ignored entries with `gitIgnored` (engines from 0.19.11), `filter` leaves them out. Default: neither. */
  readonly gitignore?: "mark" | "filter";
}

/** A walk that is taken step by step, without waiting. */
export interface TreeWalk {
  next(): TreeEntry | undefined;
  /** Doesn't go into the directory that `next` gave last. */
  skipChildren(): void;
}

export interface TreeWalkOptions extends TreeSelection {
  readonly disk: Disk;
  readonly owners: "erase" | "keep";
}

/** A directory on the way from the root to where the walk is. */
interface Level {
  /** "" for the root. */
  readonly path: string;
  /** Read when the walk first needs it. */
  items: readonly DirectoryItem[] | undefined;
  index: number;
  readonly state: FilterState | undefined;
  scope: GitignoreScope;
  /** Whether its own entry has been given out. */
  given: boolean;
  /** Whether its own entry is marked as ignored. */
  readonly gitIgnored: boolean;
  /** Whether its own entry passes the filters: then failing to read it is an error. */
  readonly kept: boolean;
}

export function createTreeWalk(options: TreeWalkOptions): TreeWalk {
  const { disk } = options;
  const base = options.root === "/" ? "" : options.root;
  const filter = createTreeFilter({ include: includesOf(options), exclude: options.exclude ?? [] });
  const hardLinks = createHardLinks();
  const levels: Level[] = [{ path: "", items: undefined, index: 0, state: undefined, scope: NO_RULES, given: true, gitIgnored: false, kept: true }];
  const ready: TreeEntry[] = [];
  let readyIndex = 0;

  return {
    next() {
      while (readyIndex >= ready.length) {
        ready.length = readyIndex = 0;
        const level = levels.at(-1);
        if (level === undefined) return undefined;
        level.items ??= open(level);
        const item = level.items[level.index++];
        if (item === undefined) levels.pop();
        else visit(level, item);
      }
      return ready[readyIndex++];
    },
    skipChildren() {
      if (levels.at(-1)?.items === undefined) levels.pop();
    },
  };

  function open(level: Level): readonly DirectoryItem[] {
    const directory = base + (level.path === "" ? "" : `/${level.path}`) || "/";
    const items = readDirectory(disk, directory, level.kept);
    if (options.gitignore !== undefined) {
      const own = items.some(isGitignore) ? disk.readText(`${directory}/.gitignore`) : undefined;
      level.scope = enterDirectory(level.scope, level.path === "" ? [] : level.path.split("/"), own);
    }
    return items;
  }

  function visit(level: Level, item: DirectoryItem): void {
    const path = level.path === "" ? item.name : `${level.path}/${item.name}`;
    const directory = item.isDirectory();
    const verdict = filter.judge(path, directory, level.state);
    const ignored = options.gitignore !== undefined && level.scope.rules.length > 0 && isIgnored(level.scope, path.split("/"), directory);
    const kept = verdict.kept && !(ignored && options.gitignore === "filter");
    const gitIgnored = ignored && options.gitignore === "mark";
    const entry = kept ? read(path, gitIgnored) : undefined;
    if (kept && entry === undefined) return;
    if (entry !== undefined && !giveParents()) return;
    if (entry !== undefined) ready.push(entry);
    if (!directory || !verdict.descend || (entry !== undefined && !isDirectory(entry.stat.mode))) return;
    if (ignored && options.gitignore === "filter" && !mayReinclude(level.scope)) return;
    levels.push({ path, items: undefined, index: 0, state: verdict.state, scope: level.scope, given: entry !== undefined, gitIgnored, kept });
  }

  /** Gives out the directories above that were passed over so far; false if one of them is gone. */
  function giveParents(): boolean {
    for (const [depth, level] of levels.entries()) {
      if (level.given) continue;
      const entry = read(level.path, level.gitIgnored);
      if (entry === undefined) {
        levels.length = depth;
        return false;
      }
      level.given = true;
      ready.push(entry);
    }
    return true;
  }

  function read(name: string, gitIgnored: boolean): TreeEntry | undefined {
    const path = `${base}/${name}`;
    const stats = disk.lstat(path);
    const found = stats && diskStat({ path, name, stats, disk });
    if (stats === undefined || found === undefined) return undefined;
    const owner = options.owners === "erase" ? { uid: 0, gid: 0 } : {};
    if (!isRegular(found.mode)) return { stat: { ...found, ...owner, gitIgnored } };
    const linkname = gitIgnored ? "" : hardLinks.firstPath(stats, name);
    const stat = { ...found, ...owner, linkname, gitIgnored };
    return gitIgnored ? { stat } : { stat, file: path };
  }
}

/** Anything else of that name has no lines, and a pipe would never end. */
function isGitignore(item: DirectoryItem): boolean {
  return item.name === ".gitignore" && (item.isFile() || item.isSymbolicLink());
}

function includesOf(options: TreeWalkOptions): readonly string[] {
  const include = options.include ?? [];
  if (options.followPaths === undefined || options.followPaths.length === 0) return include;
  const followed = followPaths({ root: options.root, paths: options.followPaths, disk: options.disk });
  return followed === undefined ? include : (withoutNested([...include, ...followed]) ?? []);
}

function readDirectory(disk: Disk, path: string, kept: boolean): readonly DirectoryItem[] {
  try {
    return sortByName(disk.readDirectory(path) ?? []);
  } catch (error) {
    if (!kept && (errorCode(error) === "EACCES" || errorCode(error) === "EPERM")) return [];
    throw error;
  }
}
