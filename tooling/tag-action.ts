import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import { run } from "./run.ts";
import { REPOSITORY } from "./workspace-packages.ts";

export interface TagActionOptions {
  /** The clone that gets the tags. */
  readonly clone: string;
  /** Folder of the built action. Default: the one of this repository. */
  readonly action?: string | undefined;
  readonly version: string;
  /** Where they are pushed to; a version that is there already is left alone. */
  readonly remote?: string | undefined;
}

const ACTION = path.join(REPOSITORY, "apps", "github-action");
const FILES = ["action.yml", "README.md", "package.json", "dist/index.js", "dist/third-party-licenses.txt"];

/**
 * Tags what `uses: anyrunner/anyrunner/apps/github-action@vX` runs: a commit with the built action and nothing else, as `vX.Y.Z` of the
 * command's version, and as `vX`, which moves. It has no place on a branch.
 * Gives the tags, none when the remote has this version.
 *
 *     node tooling/tag-action.ts [--push REMOTE]
 */
export function tagAction({ clone, action = ACTION, version, remote }: TagActionOptions): readonly string[] {
  const tags = [`v${version}`, `v${version.split(".", 1).join()}`];
  const [exact = ""] = tags;
  if (remote !== undefined && run("git", ["ls-remote", "--tags", remote, `refs/tags/${exact}`], { cwd: clone }) !== "") return [];
  const folder = mkdtempSync(path.join(tmpdir(), "anyrunner-action-"));
  try {
    for (const file of FILES) cpSync(path.join(action, file), path.join(folder, "tree", "apps", "github-action", file));
    cpSync(path.join(REPOSITORY, "LICENSE"), path.join(folder, "tree", "LICENSE"));
    const env = { ...process.env, GIT_INDEX_FILE: path.join(folder, "index"), GIT_WORK_TREE: path.join(folder, "tree") };
    const git = (...args: readonly string[]) => run("git", args, { cwd: clone, env: { ...env, GIT_DIR: path.join(clone, ".git") } }).trim();
    git("add", "--all", "--force", ".");
    const commit = git("commit-tree", git("write-tree"), "-p", "HEAD", "-m", `The GitHub action ${version}`);
    for (const tag of tags) git("tag", "--force", tag, commit);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (remote !== undefined) run("git", ["push", remote, ...tags.map((tag) => `${tag === exact ? "" : "+"}refs/tags/${tag}`)], { cwd: clone });
  return tags;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { push: { type: "string" } } });
  const { version } = JSON.parse(readFileSync(path.join(REPOSITORY, "apps", "cli", "package.json"), "utf8")) as { readonly version: string };
  const tags = tagAction({ clone: REPOSITORY, version, remote: values.push });
  console.log(tags.length === 0 ? `v${version} is there already` : tags.join(", "));
}
