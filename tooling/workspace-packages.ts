import { globSync, readFileSync } from "node:fs";
import path from "node:path";

export const REPOSITORY = path.resolve(import.meta.dirname, "..");

/** What the tools of this folder read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly repository?: { readonly url?: string; readonly directory?: string };
  readonly engines?: { readonly node?: string };
  readonly files?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
  readonly publishConfig?: {
    readonly access?: string;
    readonly exports?: Readonly<Record<string, string | { readonly types?: string; readonly default?: string }>>;
  };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly driver?: DriverKey | readonly DriverKey[];
}

/** One driver of a package. */
export interface DriverKey {
  readonly specVersion?: number;
  /** Default: the folder's, without `driver-`. */
  readonly name?: string;
  /** The export that has it. Default: the package itself. */
  readonly entry?: string;
  readonly schemes?: readonly string[];
  /** Too large to come along, so it is installed on first use. */
  readonly onDemand?: boolean;
}

export interface WorkspacePackage {
  /** Relative to the repository, for example `packages/core`. */
  readonly directory: string;
  readonly manifest: Manifest;
}

/** The packages that are published, sorted by folder. */
export function publishedPackages(): readonly WorkspacePackage[] {
  return globSync("{packages,apps}/*/package.json", { cwd: REPOSITORY })
    .toSorted()
    .map((file) => ({ directory: path.dirname(file), manifest: JSON.parse(readFileSync(path.join(REPOSITORY, file), "utf8")) as Manifest }))
    .filter(({ manifest }) => manifest.private !== true);
}
