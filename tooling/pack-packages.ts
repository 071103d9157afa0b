import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";

import { run } from "./run.ts";
import { publishedPackages, REPOSITORY, type Manifest } from "./workspace-packages.ts";

export interface PackedPackage {
  readonly manifest: Manifest;
  /** Absolute path of what a registry would get. */
  readonly tarball: string;
}

/** Packs every published package with pnpm, which resolves `workspace:`, `catalog:` and publishConfig as a release does. */
export function packPackages(): readonly PackedPackage[] {
  const packs = path.join(REPOSITORY, ".cache", "packs");
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
