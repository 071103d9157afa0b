import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { publishedPackages, REPOSITORY, type WorkspacePackage } from "./workspace-packages.ts";

/** Fails when a published package has changed since its last release and no changeset names it, or when a changeset names no package. */
const packages = publishedPackages();
const names = new Set(packages.map(({ manifest }) => manifest.name));
const covered = new Map(changesetFiles().flatMap((file) => namesIn(file).map((name) => [name, file])));

for (const [name, file] of covered) {
  if (!names.has(name)) fail(`${file}: there is no published package ${name}`);
}
for (const workspacePackage of packages) {
  if (!covered.has(workspacePackage.manifest.name) && hasChanged(workspacePackage)) {
    fail(`${workspacePackage.directory}: changed since its last release, and no changeset names ${workspacePackage.manifest.name}; run pnpm change`);
  }
}

function changesetFiles(): readonly string[] {
  return globSync(".changeset/*.md", { cwd: REPOSITORY }).filter((file) => path.basename(file) !== "README.md");
}

function namesIn(file: string): readonly string[] {
  const [, header = ""] = readFileSync(path.join(REPOSITORY, file), "utf8").split(/^---$/m);
  return [...header.matchAll(/^["']?(@?[\w./-]+)["']?:/gm)].map((match) => match[1] ?? "");
}

/** A release writes CHANGELOG.md; a package without one was never released. */
function hasChanged({ directory }: WorkspacePackage): boolean {
  const release = git("log", "-1", "--format=%H", "--", `${directory}/CHANGELOG.md`);
  if (release === "") return true;
  return git("diff", "--name-only", release, "HEAD", "--", directory, `:!${directory}/**/*.test.ts`, `:!${directory}/**/*.md`) !== "";
}

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: REPOSITORY, encoding: "utf8" }).trim();
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
