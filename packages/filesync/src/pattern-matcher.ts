import { parsePattern, type Pattern } from "./pattern.ts";

/** Which patterns matched a directory: they count as matching everything below it. */
export type MatchState = readonly boolean[];

export interface PatternMatch {
  readonly matched: boolean;
  /** To be handed to the calls for the children, if this is a directory. */
  readonly state: MatchState;
}

/** An ordered list of patterns, the last that applies wins (moby's patternmatcher). */
export interface PatternMatcher {
  readonly patterns: readonly Pattern[];
  /** `parent` is the state that the call for the parent directory gave; none for the entries of the root. */
  match(path: string, parent?: MatchState): PatternMatch;
  /** Whether a pattern of this kind could match something below the directory. */
  reachesBelow(directory: string, kind: { readonly negated: boolean }): boolean;
}

/**
 * Compiles include or exclude patterns. Blank ones are left out; a bad one throws a FilesyncError `invalid`.
 * A positive pattern is tried only while the path is not matched, a negated one (`!`) only while it is.
 */
export function compilePatterns(lines: readonly string[]): PatternMatcher {
  const patterns = lines.map(parsePattern).filter((pattern) => pattern !== undefined);
  const match = (path: string, parent?: MatchState): PatternMatch => {
    const state = new Array<boolean>(patterns.length).fill(false);
    let matched = false;
    for (const [index, pattern] of patterns.entries()) {
      const applies = parent?.[index] || (pattern.negated === matched && pattern.matches(path));
      if (!applies) continue;
      state[index] = true;
      matched = !pattern.negated;
    }
    return { matched, state };
  };
  return {
    patterns,
    match,
    reachesBelow: (directory, kind) => {
      const components = directory.split("/");
      return patterns.some((pattern) => pattern.negated === kind.negated && pattern.reachesBelow(components));
    },
  };
}
