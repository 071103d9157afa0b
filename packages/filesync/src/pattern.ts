import { badGlob, checkGlob, compileComponent, literal, readClass } from "./glob.ts";
import { FilesyncError } from "./filesync-error.ts";
import { cleanPath } from "./path-order.ts";
import { trimSpace } from "./trim-space.ts";

/** One line of an include or exclude list. */
export interface Pattern {
  readonly text: string;
  /** Written with a leading `!`. */
  readonly negated: boolean;
  /** Whether the whole path matches. */
  matches(path: string): boolean;
  /** Whether something below this directory could match, so that it has to be read. May say yes too often. */
  reachesBelow(directory: readonly string[]): boolean;
}

/** Undefined for a blank line. Throws a FilesyncError `invalid` for a bad one. */
export function parsePattern(line: string): Pattern | undefined {
  const trimmed = trimSpace(line);
  if (trimmed === "") return undefined;
  const cleaned = cleanPath(trimmed);
  const negated = cleaned.startsWith("!");
  const text = negated ? cleaned.slice(1) : cleaned;
  if (text === "") throw new FilesyncError("invalid", 'illegal exclusion pattern: "!"');
  checkGlob(text);
  return { text, negated, matches: compile(text), reachesBelow: compileReach(text) };
}

type Kind = "exact" | "prefix" | "suffix" | "expression";

/**
 * What moby's patternmatcher makes of a pattern, quirks included: a leading `**` without further wildcards compares
 * the end of the path (`**foo` matches `barfoo`), a trailing one its beginning; elsewhere `**` and `**` + `/` match
 * any number of directories, none among them.
 */
function compile(text: string): (path: string) => boolean {
  const { kind, source } = analyse([...text]);
  switch (kind) {
    case "exact":
      return (path) => path === text;
    case "prefix": {
      const start = text.slice(0, -2);
      return (path) => path.startsWith(start);
    }
    case "suffix": {
      const end = text.slice(2);
      return (path) => path.endsWith(end) || (end.startsWith("/") && path === end.slice(1));
    }
    case "expression": {
      const expression = new RegExp(`^${source}$`, "u");
      return (path) => expression.test(path);
    }
  }
}

function analyse(characters: readonly string[]): { kind: Kind; source: string } {
  let kind: Kind = "exact";
  let source = "";
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === "*" && characters[at + 1] === "*") {
      const leading = at === 0;
      at += characters[at + 2] === "/" ? 2 : 1;
      if (at + 1 < characters.length) {
        source += "(?:[^\\n]*/)?";
        kind = "expression";
      } else if (kind === "exact") kind = "prefix";
      else {
        source += "[^\\n]*";
        kind = "expression";
      }
      if (leading) kind = "suffix";
      continue;
    }
    if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else if (character === "[") {
      const found = readClass(characters, at);
      source += found.source;
      at = found.end - 1;
    } else if (character === "\\") {
      const escaped = characters[++at];
      if (escaped === undefined) throw badGlob(characters);
      source += literal(escaped);
    } else {
      source += literal(character);
      if (character !== "]") continue;
    }
    kind = "expression";
  }
  return { kind, source };
}

function compileReach(text: string): (directory: readonly string[]) => boolean {
  const components = text.split("/");
  // From the first component on whose reach isn't plain (`**`, or a class or escape that could hold a slash), anything may match.
  const open = components.findIndex((component) => component.includes("**") || /[[\\]/.test(component));
  const closed = (open === -1 ? components : components.slice(0, open)).map(compileComponent);
  return (directory) => {
    for (const [index, name] of directory.entries()) {
      if (index >= closed.length) return open !== -1;
      if (!closed[index]!(name)) return false;
    }
    return open !== -1 || directory.length < components.length;
  };
}
