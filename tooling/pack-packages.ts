import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";

import { run } from "./run.ts";
import { publishedPackages, REPOSITORY, type Manifest } from "./workspace-packages.ts";

export interface PackedPackage {
  readonly manifest: Manifest;
  /** Absolute path of what a registry would get. */
  readonly tarball: string;
}

/** Packs every published package with pnpm, which resolves `workspace:`, `catalog:` and publishConfig as a release does. The folder `packs` is made anew. */
export function packPackages(packs = path.join(REPOSITORY, ".cache", "packs")): readonly PackedPackage[] {
  rmSync(packs, { recursive: true, force: true });
  return publishedPackages().map(({ directory, manifest }) => {
    const folder = path.join(packs, path.basename(directory));
    mkdirSync(folder, { recursive: true });
    run(path.join(REPOSITORY, "scripts", "pnpm"), ["pack", "--pack-destination", folder], { cwd: path.join(REPOSITORY, directory) });
    const [tarball] = readdirSync(folder);
    if (tarball === undefined) throw new Error(`pnpm pack of ${manifest.name} made no file`);
    return { manifest, tarball: path.join(folder, tarball) };
  });
}

/** What was packed before: the tarballs in a folder and those below it. */
export function readPacks(folder: string): readonly PackedPackage[] {
  const files = readdirSync(folder, { encoding: "utf8", recursive: true }).filter((file) => file.endsWith(".tgz"));
  if (files.length === 0) throw new Error(`there is no tarball in ${folder}`);
  return files.toSorted().map((file) => {
    const tarball = path.join(folder, file);
    return { manifest: JSON.parse(run("tar", ["-xzOf", tarball, "package/package.json"])) as Manifest, tarball };
  });
}

/** The packages of these names with those of our own that they need; everything else comes from the registry. */
export function withDependencies(packed: readonly PackedPackage[], names: readonly string[]): readonly PackedPackage[] {
  const found = new Map<string, PackedPackage>();
  const visit = (name: string) => {
    const one = packed.find(({ manifest }) => manifest.name === name);
    if (one === undefined || found.has(name)) return;
    found.set(name, one);
    for (const dependency of Object.keys(one.manifest.dependencies ?? {})) visit(dependency);
  };
  for (const name of names) visit(packageNamed(packed, name).manifest.name);
  return [...found.values()];
}

export function packageNamed(packed: readonly PackedPackage[], name: string): PackedPackage {
  const found = packed.find(({ manifest }) => manifest.name === name);
  if (found === undefined) throw new Error(`${name} is not among the published packages`);
  return found;
}
