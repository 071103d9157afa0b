import { parseGitignore, type GitignoreRule } from "./gitignore-rule.ts";

/** The rules that hold inside one directory: those of the root's `.gitignore` first, its own last. */
export interface GitignoreScope {
  readonly rules: readonly ScopedRule[];
}

interface ScopedRule extends GitignoreRule {
  /** How many components the directory of the rule's file has. */
  readonly depth: number;
  /** A name pattern that matched this directory or one above it, below its file: everything inside matches too. */
  readonly matchedAbove: boolean;
}

export const NO_RULES: GitignoreScope = { rules: [] };

/**
 * The scope inside `directory` (its components; none for the root), whose parent's scope is `parent` and whose own
 * `.gitignore` holds `text`, if there is one.
 */
export function enterDirectory(parent: GitignoreScope, directory: readonly string[], text: string | undefined): GitignoreScope {
  if (parent.rules.length === 0 && text === undefined) return NO_RULES;
  const name = directory.at(-1);
  const inherited = parent.rules.map((rule) => inherit(rule, name));
  const own = text === undefined ? [] : parseGitignore(text).map((rule) => ({ ...rule, depth: directory.length, matchedAbove: false }));
  return { rules: [...inherited, ...own] };
}

/** Whether an entry of the directory that `scope` belongs to is ignored. */
export function isIgnored(scope: GitignoreScope, components: readonly string[], isDirectory: boolean): boolean {
  const { rules } = scope;
  for (let index = rules.length - 1; index >= 0; index--) {
    const rule = rules[index]!;
    if (applies(rule, components, isDirectory)) return !rule.reincludes;
  }
  return false;
}

/** Whether something inside an ignored directory could be taken back by a rule known at its door. */
export function mayReinclude(scope: GitignoreScope): boolean {
  return scope.rules.some((rule) => rule.reincludes);
}

function applies(rule: ScopedRule, components: readonly string[], isDirectory: boolean): boolean {
  if (rule.matchesName === undefined) return rule.matchesPath(components.slice(rule.depth), isDirectory);
  if (rule.matchedAbove) return true;
  return (isDirectory || !rule.directoriesOnly) && rule.matchesName(components.at(-1)!);
}

function inherit(rule: ScopedRule, name: string | undefined): ScopedRule {
  if (rule.matchedAbove || rule.matchesName === undefined || name === undefined || !rule.matchesName(name)) return rule;
  return { ...rule, matchedAbove: true };
}
