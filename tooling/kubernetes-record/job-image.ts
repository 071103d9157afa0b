import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { packPackages, withDependencies } from "../pack-packages.ts";
import { run } from "../run.ts";
import { REPOSITORY } from "../workspace-packages.ts";

/**
 * Makes the image of a CI job: this Node.js, the packed command and the Kubernetes driver, an example, a shell; no kubectl, no Docker.
 *
 * Usage: node tooling/kubernetes-record/job-image.ts FILE NAME:TAG
 * FILE gets the form that `docker load` and `ctr images import` read. Build the packages first.
 */
const [file = "", name = ""] = process.argv.slice(2);
if (file === "" || name === "") throw new Error("usage: job-image.ts FILE NAME:TAG");
const scratch = mkdtempSync(path.join(tmpdir(), "job-image-"));
try {
  const root = path.join(scratch, "root");
  run(path.join(REPOSITORY, "scripts", "busybox-root"), [root]);
  addNode(root);
  addProject(path.join(root, "work"));
  writeArchive(root, path.resolve(file));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The program with the libraries that it names. */
function addNode(root: string): void {
  const node = realpathSync(process.execPath);
  mkdirSync(path.join(root, "usr", "bin"), { recursive: true });
  symlinkSync("/bin/env", path.join(root, "usr", "bin", "env"));
  cpSync(node, path.join(root, "usr", "bin", "node"));
  for (const [, library = ""] of run("ldd", [node]).matchAll(/(\/\S+) \(0x/g)) {
    mkdirSync(path.join(root, path.dirname(library)), { recursive: true });
    cpSync(realpathSync(library), path.join(root, library));
  }
}

function addProject(folder: string): void {
  cpSync(path.join(REPOSITORY, "examples", "build-and-export"), folder, { recursive: true, filter: (entry) => !entry.includes("node_modules") });
  rmSync(path.join(folder, "rootfs"), { recursive: true, force: true });
  run(path.join(REPOSITORY, "scripts", "busybox-root"), [path.join(folder, "rootfs")]);
  rmSync(path.join(folder, "package.json"));
  rmSync(path.join(folder, "anyrunner.config.yaml"));
  cpSync(path.join(import.meta.dirname, "sleep.ts"), path.join(folder, "sleep.ts"));
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  const packed = withDependencies(packPackages(path.join(scratch, "packs")), ["@anyrunner/cli", "@anyrunner/driver-kubernetes"]);
  const catalog = /"@dagger\.io\/dagger":\s*([\d.]+)/.exec(readFileSync(path.join(REPOSITORY, "pnpm-workspace.yaml"), "utf8"))?.[1] ?? "0.21.8";
  run("npm", ["install", "--no-audit", "--no-fund", ...packed.map(({ tarball }) => tarball), `@dagger.io/dagger@${catalog}`], { cwd: folder });
}

function writeArchive(root: string, target: string): void {
  const layer = path.join(scratch, "layer.tar");
  run("tar", ["--create", "--file", layer, "--directory", root, "--owner=0", "--group=0", "--numeric-owner", "."]);
  const config = JSON.stringify({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: {
      WorkingDir: "/work",
      Env: ["PATH=/work/node_modules/.bin:/usr/bin:/bin", "HOME=/root", "ANYRUNNER_TRUST_DRIVERS=all"],
      Cmd: ["sleep", "infinity"],
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(readFileSync(layer)).digest("hex")}`] },
  });
  writeFileSync(path.join(scratch, "config.json"), config);
  writeFileSync(path.join(scratch, "manifest.json"), JSON.stringify([{ Config: "config.json", RepoTags: [name], Layers: ["layer.tar"] }]));
  run("tar", ["--create", "--file", target, "--directory", scratch, "manifest.json", "config.json", "layer.tar"]);
}
