import { compileComponent } from "./glob.ts";
import { trimSpace } from "./trim-space.ts";

type ComponentTest = (name: string) => boolean;

/** One line of a `.gitignore`. */
export interface GitignoreRule {
  /** Written with a leading `!`: takes back what earlier rules ignored. */
  readonly reincludes: boolean;
  /** Only directories (and what is below them), for a trailing `/`. */
  readonly directoriesOnly: boolean;
  /** For a pattern without an inner `/`: tries one name, at any depth. */
  readonly matchesName: ComponentTest | undefined;
  /** For the others: tries the components of a path relative to the file's directory; matches what is below a match too. */
  matchesPath(components: readonly string[], isDirectory: boolean): boolean;
}

/**
 * The rules of a `.gitignore` text. They mean what they mean to go-git, the library of the official client, so that
 * both send the same marks: an escaped trailing space is trimmed, and `**` tries only the first place that fits.
 */
export function parseGitignore(text: string): readonly GitignoreRule[] {
  return text
    .split(/\r?\n/)
    .map(trimSpace)
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(parseRule);
}

function parseRule(line: string): GitignoreRule {
  const reincludes = line.startsWith("!");
  let pattern = reincludes ? line.slice(1) : line;
  const directoriesOnly = pattern.endsWith("/");
  if (directoriesOnly) pattern = pattern.slice(0, -1);
  const parts = pattern.split("/");
  const tests = parts.map(componentTest);
  return {
    reincludes,
    directoriesOnly,
    matchesName: parts.length === 1 ? tests[0] : undefined,
    matchesPath: (components, isDirectory) => matchesComponents(parts, tests, components, directoriesOnly && !isDirectory),
  };
}

/** A component that can't be compiled matches nothing. */
function componentTest(pattern: string): ComponentTest {
  try {
    return compileComponent(pattern);
  } catch {
    return () => false;
  }
}

function matchesComponents(parts: readonly string[], tests: readonly ComponentTest[], components: readonly string[], mustGoOn: boolean): boolean {
  let matched = false;
  let anywhere = false;
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if (part === "") {
      anywhere = false;
      continue;
    }
    if (part === "**") {
      if (index === parts.length - 1) break;
      anywhere = true;
      continue;
    }
    if (part.includes("**") || at >= components.length) return false;
    const matches = tests[index]!;
    if (!anywhere) {
      if (!matches(components[at++]!)) return false;
      matched = true;
      continue;
    }
    anywhere = false;
    const found = components.findIndex((name, position) => position >= at && matches(name));
    matched = found !== -1;
    at = matched ? found + 1 : components.length;
  }
  return matched && !(mustGoOn && at === components.length);
}
