import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { TestProject } from "vitest/node";

import { packPackages, type PackedPackage } from "../pack-packages.ts";
import { publishPackages } from "../publish-packages.ts";
import { run } from "../run.ts";
import { REPOSITORY } from "../workspace-packages.ts";
import { startRegistry, type RegistryServer } from "./registry-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Variables with which npm uses the registry. */
    readonly registry: Readonly<Record<string, string>>;
    /** What was published. */
    readonly packed: readonly PackedPackage[];
  }
}

/** Publishes all packages, as a release does, to a registry of their own for the tests. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(tmpdir(), "anyrunner-registry-"));
  let registry: RegistryServer | undefined;
  const teardown = async () => {
    await registry?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    registry = await startRegistry(path.join(folder, "registry"));
    const packs = path.join(folder, "packs");
    const packed = packPackages(packs);
    const env = { ...process.env, ...registry.env };
    // As the job of a release does it, but for the upload.
    run(process.execPath, [path.join(REPOSITORY, "tooling/publish.ts"), "--dry-run", "--provenance", packs], { env });
    publishPackages(packed, { env });
    provide("packed", packed);
    provide("registry", registry.env);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}
