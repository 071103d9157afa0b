import type { PackedPackage } from "./pack-packages.ts";
import { tryToRun } from "./run.ts";

export interface PublishOptions {
  /** Do everything but the upload. Default false. */
  readonly dryRun?: boolean;
  /** Have the registry record, by the identity of the CI job, from which commit and workflow each package was made. Default false. */
  readonly provenance?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: (line: string) => void;
}

/**
 * Publishes what isn't on the registry yet, a package after those that it depends on: when something fails, what is there can be installed,
 * and the same command goes on where it stopped. Throws with all that npm said.
 */
export function publishPackages(packed: readonly PackedPackage[], options: PublishOptions = {}): void {
  const { dryRun = false, provenance = false, env = process.env, log = () => {} } = options;
  for (const { manifest, tarball } of inOrder(packed)) {
    const id = `${manifest.name}@${manifest.version}`;
    if (isPublished(id, env)) {
      log(`${id} is there already`);
      continue;
    }
    const args = ["publish", tarball, "--access", "public", ...(dryRun ? ["--dry-run"] : []), ...(provenance ? ["--provenance"] : [])];
    const { exitCode, stdout, stderr } = tryToRun("npm", args, { env });
    if (exitCode !== 0) throw new Error(`npm ${args.join(" ")} ended with ${exitCode}\n${stdout}${stderr}`);
    log(`${id} ${dryRun ? "would be published" : "published"}`);
  }
}

/** Dependencies before dependents. */
export function inOrder(packed: readonly PackedPackage[]): readonly PackedPackage[] {
  const byName = new Map(packed.map((one) => [one.manifest.name, one]));
  const ordered = new Set<PackedPackage>();
  const visit = (one: PackedPackage, path: readonly PackedPackage[]) => {
    if (ordered.has(one) || path.includes(one)) return;
    for (const name of Object.keys(one.manifest.dependencies ?? {})) {
      const dependency = byName.get(name);
      if (dependency !== undefined) visit(dependency, [...path, one]);
    }
    ordered.add(one);
  };
  for (const one of packed) visit(one, []);
  return [...ordered];
}

function isPublished(id: string, env: NodeJS.ProcessEnv): boolean {
  const { exitCode, stdout, stderr } = tryToRun("npm", ["view", id, "version"], { env });
  if (exitCode === 0) return stdout.trim() !== "";
  if (stderr.includes("E404")) return false;
  throw new Error(`npm view ${id} ended with ${exitCode}\n${stdout}${stderr}`);
}
