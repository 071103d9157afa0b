import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

export interface FindProjectOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const LOCKFILES: readonly (readonly [string, PackageManager])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

/** The command that adds `packageName` to the project around `cwd`, or globally where there is no project. */
export function installCommand(packageName: string, options: FindProjectOptions): string {
  if (findUpwards(options.cwd, "package.json") === undefined) return `npm install --global ${packageName}`;
  return projectInstallCommand(packageName, options);
}

/** The command that adds `packageName` to the project in `cwd`, even where that has no package.json yet. */
export function projectInstallCommand(packageName: string, options: FindProjectOptions): string {
  const manager = detectPackageManager(options);
  if (manager === "npm") return `npm install --save-dev ${packageName}`;
  return `${manager} add ${manager === "pnpm" ? "--save-dev" : "--dev"} ${packageName}`;
}

/** The package manager of the project: its `packageManager` field, else the nearest lockfile, else the one that runs us, else npm. */
function detectPackageManager({ cwd, env }: FindProjectOptions): PackageManager {
  for (const directory of upwards(cwd)) {
    const declared = declaredManager(join(directory, "package.json"));
    if (declared !== undefined) return declared;
    const lockfile = LOCKFILES.find(([name]) => existsSync(join(directory, name)));
    if (lockfile !== undefined) return lockfile[1];
  }
  return managerOf(env["npm_config_user_agent"]?.split("/")[0]) ?? "npm";
}

export function findUpwards(directory: string, name: string): string | undefined {
  for (const candidate of upwards(directory)) {
    if (existsSync(join(candidate, name))) return join(candidate, name);
  }
  return undefined;
}

function* upwards(from: string): Generator<string> {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    yield directory;
    if (directory === dirname(directory)) return;
  }
}

function declaredManager(manifest: string): PackageManager | undefined {
  try {
    const { packageManager } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly packageManager?: unknown };
    return typeof packageManager === "string" ? managerOf(packageManager.split("@")[0]) : undefined;
  } catch {
    return undefined;
  }
}

function managerOf(name: string | undefined): PackageManager | undefined {
  return name === "npm" || name === "pnpm" || name === "yarn" || name === "bun" ? name : undefined;
}
