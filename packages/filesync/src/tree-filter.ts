import { compilePatterns, type MatchState, type PatternMatcher } from "./pattern-matcher.ts";

/** What the patterns said about a directory, for its children. */
export interface FilterState {
  readonly include: MatchState | undefined;
  readonly exclude: MatchState | undefined;
}

export interface Verdict {
  /** The entry is in the listing (or would be, if nothing else forbids it). */
  readonly kept: boolean;
  /** For a directory: something below it could be kept. */
  readonly descend: boolean;
  readonly state: FilterState;
}

export interface TreeFilter {
  /** `parent` is the state of the parent directory; none for the entries of the root. */
  judge(path: string, isDirectory: boolean, parent: FilterState | undefined): Verdict;
}

const KEEP_ALL: Verdict = { kept: true, descend: true, state: { include: undefined, exclude: undefined } };

/**
 * Include and exclude patterns over a walk (engine protocol 5.3, Filters). An empty list filters nothing. A directory
 * is read only if something below it could be kept.
 */
export function createTreeFilter(patterns: { readonly include?: readonly string[]; readonly exclude?: readonly string[] }): TreeFilter {
  const include = compileUnlessEmpty(patterns.include);
  const exclude = compileUnlessEmpty(patterns.exclude);
  if (include === undefined && exclude === undefined) return { judge: () => KEEP_ALL };
  return {
    judge(path, isDirectory, parent) {
      const included = include?.match(path, parent?.include);
      const pruned = { kept: false, descend: false, state: { include: included?.state, exclude: undefined } };
      if (included?.matched === false && isDirectory && !include!.reachesBelow(path, { negated: false })) return pruned;
      const excluded = exclude?.match(path, parent?.exclude);
      if (excluded?.matched && isDirectory && !exclude!.reachesBelow(path, { negated: true })) return pruned;
      return {
        kept: included?.matched !== false && !excluded?.matched,
        descend: true,
        state: { include: included?.state, exclude: excluded?.state },
      };
    },
  };
}

function compileUnlessEmpty(lines: readonly string[] | undefined): PatternMatcher | undefined {
  return lines === undefined || lines.length === 0 ? undefined : compilePatterns(lines);
}
