import { FilesyncError } from "./filesync-error.ts";

const SPECIAL = /[\\^$.*+?()[\]{}|/]/;

/** A character as a regular expression with the `u` flag matches it literally, outside of a class. */
export function literal(character: string): string {
  return SPECIAL.test(character) ? `\\${character}` : character;
}

export interface CharacterClass {
  readonly source: string;
  /** Index behind the closing bracket. */
  readonly end: number;
}

/** Reads the character class at `start`, where a `[` is: Go's `path.Match` grammar, with `^` for negation. */
export function readClass(characters: readonly string[], start: number): CharacterClass {
  let at = start + 1;
  let source = "[";
  if (characters[at] === "^") {
    source += "^";
    at++;
  }
  const first = at;
  while (characters[at] !== "]" || at === first) {
    const low = readMember(characters, at);
    at = low.end;
    let high = low.character;
    if (characters[at] === "-") {
      const upper = readMember(characters, at + 1);
      at = upper.end;
      high = upper.character;
    }
    const [from, to] = [low.character.codePointAt(0)!, high.codePointAt(0)!];
    if (from > to) throw badGlob(characters);
    source += from === to ? member(high) : `${member(low.character)}-${member(high)}`;
  }
  return { source: `${source}]`, end: at + 1 };
}

/** Throws a FilesyncError `invalid` for what Go's `path.Match` calls a bad pattern. */
export function checkGlob(pattern: string): void {
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    if (characters[at] === "[") at = readClass(characters, at).end - 1;
    else if (characters[at] === "\\" && ++at === characters.length) throw badGlob(characters);
  }
}

/** Go's `path.Match` for one path component: `*` and `?` don't cross `/`, `[…]` and `\x` as usual. */
export function compileComponent(pattern: string): (name: string) => boolean {
  if (!/[*?[\\]/.test(pattern)) return (name) => name === pattern;
  if (/^\*[^*?[\\]*$/.test(pattern)) return (name) => name.endsWith(pattern.slice(1)) && !name.includes("/");
  const expression = new RegExp(`^${componentSource([...pattern])}$`, "u");
  return (name) => expression.test(name);
}

export function badGlob(characters: readonly string[]): FilesyncError {
  return new FilesyncError("invalid", `syntax error in pattern "${characters.join("")}"`);
}

function componentSource(characters: readonly string[]): string {
  let source = "";
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else if (character === "\\") source += literal(characters[++at] ?? "\\");
    else if (character === "[") {
      const found = readClass(characters, at);
      source += found.source;
      at = found.end - 1;
    } else source += literal(character);
  }
  return source;
}

function member(character: string): string {
  return character === "-" ? "\\-" : literal(character);
}

function readMember(characters: readonly string[], at: number): { character: string; end: number } {
  const character = characters[at];
  if (character === undefined || character === "-" || character === "]") throw badGlob(characters);
  if (character !== "\\") return { character, end: at + 1 };
  const escaped = characters[at + 1];
  if (escaped === undefined) throw badGlob(characters);
  return { character: escaped, end: at + 2 };
}
