import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { RunnerError } from "@anyrunner/core";

export interface Inputs {
  readonly runner: string | undefined;
  /** What npm shall install; `undefined`: the command on PATH is used. */
  readonly install: { readonly spec: string } | undefined;
  readonly drivers: readonly string[];
  readonly start: boolean;
  readonly stopEngine: boolean;
  /** Absolute. */
  readonly workdir: string;
}

export interface ReadInputsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of anyrunner, where the input says none. */
  readonly version: string;
}

/** The inputs of `action.yml`, as the runner puts them into the environment. Fails with USAGE or NOT_FOUND. */
export function readInputs({ env, version }: ReadInputsOptions): Inputs {
  const text = (name: string) => (env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const workspace = env["GITHUB_WORKSPACE"] || process.cwd();
  return {
    runner: text("runner") || undefined,
    install: yesOrNo("install", text("install")) ? { spec: packageSpec(text("version") || version, workspace) } : undefined,
    drivers: text("drivers")
      .split(/[\s,]+/)
      .filter((name) => name !== ""),
    start: yesOrNo("start", text("start")),
    stopEngine: yesOrNo("engine-stop", text("engine-stop")),
    workdir: resolve(workspace, text("workdir")),
  };
}

function yesOrNo(name: string, value: string): boolean {
  if (/^(|true|True|TRUE)$/.test(value)) return true;
  if (/^(false|False|FALSE)$/.test(value)) return false;
  throw new RunnerError("USAGE", `the input ${name} is "${value}"`, { hint: "write true or false" });
}

function packageSpec(version: string, workspace: string): string {
  if (/^(\.{1,2}\/|\/)|\.tgz$/.test(version)) {
    const path = resolve(workspace, version);
    if (existsSync(path)) return path;
    throw new RunnerError("NOT_FOUND", `the input version names ${path}, which isn't there`, { hint: "check the path, which is relative to the workspace" });
  }
  if (/^[~^]?[\w.+-]+$/.test(version)) return `@anyrunner/cli@${version}`;
  throw new RunnerError("USAGE", `the input version is "${version}"`, {
    hint: "write a version like 1.2.3, a tag like latest, or the path of a packed anyrunner",
  });
}
