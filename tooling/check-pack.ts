import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { nodeBinary } from "./node-binary.ts";
import { packageNamed, packPackages, withDependencies, type PackedPackage } from "./pack-packages.ts";
import { run, tryToRun } from "./run.ts";

/** The oldest Node that users may have, the one that the repository uses, and the newest line; and one that is too old. */
const SUPPORTED = ["22.19.0", "24.21.0", "26.10.0"];
const TOO_OLD = "20.20.2";

/** Checks what users get: packs every package, inspects the tarballs, installs them into empty projects and uses them. */
const packed = packPackages();
const scratch = mkdtempSync(path.join(tmpdir(), "anyrunner-pack-"));
try {
  for (const { tarball, manifest } of packed) inspect(tarball, manifest.exports?.["."] !== undefined);
  useEveryExport();
  useOneDriver();
  useCommandLine();
  makeDriver();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function inspect(tarball: string, hasTypes: boolean): void {
  const stray = run("tar", ["-tzf", tarball])
    .split("\n")
    .filter((file) => /\/node_modules\/|\/dist\/.*\.(test|fixture)\./.test(file));
  if (stray.length > 0) throw new Error(`${tarball} holds ${stray.slice(0, 3).join(", ")}`);
  run("publint", [tarball, "--strict"]);
  if (hasTypes) run("attw", [tarball, "--profile", "esm-only"]);
}

function useEveryExport(): void {
  const project = emptyProject("all", packed, peersOf(packed));
  const entries = packed.flatMap(({ manifest }) =>
    Object.entries(manifest.exports ?? {})
      .filter(([, target]) => target.endsWith(".ts"))
      .map(([entry]) => path.posix.join(manifest.name, entry)),
  );
  for (const version of SUPPORTED) {
    for (const entry of entries) run(nodeBinary(version), ["--input-type=module", "--eval", `await import("${entry}")`], { cwd: project });
    console.log(`Node ${version}: ${entries.length} exports load`);
  }
}

function useOneDriver(): void {
  const project = emptyProject("driver", withDependencies(packed, ["@anyrunner/driver-socket"]));
  const program = `
    import { createRegistry, openRunner } from "@anyrunner/core";
    const registry = createRegistry([{ name: "socket", schemes: ["unix"], origin: "@anyrunner/driver-socket", load: () => import("@anyrunner/driver-socket") }]);
    await openRunner("unix:///no/such/socket", { registry }).then(
      () => process.exit(1),
      (error) => console.log(error.code),
    );`;
  for (const version of SUPPORTED) {
    const output = run(nodeBinary(version), ["--input-type=module", "--eval", program], { cwd: project });
    if (output.trim() !== "NOT_FOUND") throw new Error(`a driver alone answered ${output}`);
    console.log(`Node ${version}: a driver alone answers ${output.trim()} for a socket that is missing`);
  }
}

function useCommandLine(): void {
  const project = emptyProject("cli", withDependencies(packed, ["@anyrunner/cli"]));
  const bin = path.join(project, "node_modules", "@anyrunner", "cli", binOf("@anyrunner/cli"));
  for (const version of SUPPORTED) {
    const output = run(nodeBinary(version), [bin, "--version"], { cwd: project });
    run(nodeBinary(version), [bin, "drivers"], { cwd: project });
    console.log(`Node ${version}: anyrunner --version says ${output.trim()}`);
  }
  const { exitCode, stderr } = tryToRun(nodeBinary(TOO_OLD), [bin, "--version"], { cwd: project });
  if (exitCode === 0 || !stderr.includes("22.19")) throw new Error(`under Node ${TOO_OLD} the command ended with ${exitCode} and said: ${stderr}`);
  console.log(`Node ${TOO_OLD}: ${stderr.trim().split("\n", 1).join()}`);
}

/** As `npm create` runs it; that what is made also works is the guide's test. */
function makeDriver(): void {
  const project = emptyProject("create", withDependencies(packed, ["create-anyrunner-driver"]));
  const bin = path.join(project, "node_modules", "create-anyrunner-driver", binOf("create-anyrunner-driver"));
  for (const version of SUPPORTED) {
    const output = run(nodeBinary(version), [bin, `made-by-${version.split(".", 1).join()}`], { cwd: project });
    console.log(`Node ${version}: ${output.split("\n", 1).join()}`);
  }
}

function binOf(name: string): string {
  const bin = Object.values(packageNamed(packed, name).manifest.bin ?? {})[0];
  if (bin === undefined) throw new Error(`${name} has no bin`);
  return bin;
}

/** What packages leave to their users to install, at the newest version that they accept. */
function peersOf(packages: readonly PackedPackage[]): Readonly<Record<string, string>> {
  return Object.assign({}, ...packages.map(({ manifest }) => manifest.peerDependencies ?? {})) as Readonly<Record<string, string>>;
}

function emptyProject(name: string, packages: readonly PackedPackage[], others: Readonly<Record<string, string>> = {}): string {
  const project = path.join(scratch, name);
  mkdirSync(project);
  const dependencies = Object.fromEntries(packages.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]));
  writeFileSync(path.join(project, "package.json"), JSON.stringify({ private: true, type: "module", dependencies: { ...dependencies, ...others } }));
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: project });
  return project;
}
