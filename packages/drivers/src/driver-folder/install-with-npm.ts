import { RunnerError } from "@anyrunner/core";
import { runProgram } from "@anyrunner/exec";

import type { InstallPackage } from "./add-driver.ts";

const BUDGET_MS = 600_000;

/**
 * `npm install` of one package at its exact version; no script of it or of its dependencies runs. The registry is the user's, never the one of the
 * project's .npmrc. Fails with NOT_AVAILABLE, NOT_FOUND or COMMAND_FAILED.
 */
export function installWithNpm(given: Readonly<Record<string, string | undefined>>): InstallPackage {
  const env = withoutProjectSettings(given);
  return async ({ prefix, spec, signal }) => {
    const args = [
      "install",
      "--save-exact",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--no-update-notifier",
      "--omit=dev",
      "--no-global",
      "--prefix",
      prefix,
      "--",
      spec,
    ];
    const { exitCode, stderr } = await runProgram({
      command: process.platform === "win32" ? "npm.cmd" : "npm",
      args,
      cwd: prefix,
      env,
      signal,
      timeoutMs: BUDGET_MS,
    }).catch((error: unknown) => {
      if (!RunnerError.is(error) || error.code !== "NOT_FOUND") throw error;
      throw new RunnerError("NOT_AVAILABLE", "npm, which installs drivers, is not on PATH", { hint: "install Node.js with npm", cause: error });
    });
    if (exitCode === 0) return;
    if (/\bE404\b|\bETARGET\b/.test(stderr)) {
      throw new RunnerError("NOT_FOUND", `the registry has no ${spec}`, { hint: `check name and version: npm view ${spec.replace(/(.)@.*$/, "$1")} versions` });
    }
    throw new RunnerError("COMMAND_FAILED", `npm install ${spec} ended with ${exitCode}: ${lastLine(stderr)}`, {
      hint: "nothing was changed; mend what npm says and try again",
      details: { exitCode, stderr },
    });
  };
}

/**
 * What npm and npx run finds the settings of the project in lower-case variables, the registry of its .npmrc among them: a repository
 * would say where the user's drivers come from. Users write theirs in capitals, as npm's documentation does.
 */
function withoutProjectSettings(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("npm_")));
}

function lastLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.startsWith("npm error") && !line.includes("A complete log"));
  return (lines.at(0) ?? text.trim().split("\n").at(-1) ?? "").replace(/^npm error /, "");
}
